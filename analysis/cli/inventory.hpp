// What `list` and `show` know: one line of the table per kind of thing.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "topologies/catalogue.hpp"

namespace orrery {

using Lines = std::vector<std::pair<std::string, std::string>>;  // name, summary

struct Inventory {
  std::string kind;  // devices, links, ...
  Lines (*list)(const Catalogue& catalogue);
  std::string (*show)(const Catalogue& catalogue, const std::string& name);  // empty text: unknown name
};
const std::vector<Inventory>& inventories();

// Of them, those in a file of their own.
std::vector<Inventory> catalogue_inventories();   // devices, links, systems, grids, sources
std::vector<Inventory> constant_inventories();    // frameworks and laws
std::vector<Inventory> federation_inventories();  // algorithms, compressions, partitions, ...
Inventory scenario_inventory();                   // those that ship with Orrery

/// The inventory of a kind (singular accepted); throws UsageError with did-you-mean.
const Inventory& inventory_of(const std::string& kind, const std::string& command);

}  // namespace orrery
