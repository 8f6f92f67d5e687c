// What training in a number format is on devices that may not have it.
#pragma once

#include <string>
#include <vector>

#include "topologies/catalogue.hpp"
#include "topologies/population.hpp"

namespace orrery {

/// Throws Infeasible for what nobody trains in: int8. Whatever the devices are.
void require_training_format(Precision precision);

/// One note for each kind among these devices that has no products in the format: which wider one they are counted in
/// (Device::peak_for), at which rate. Throws Infeasible with the format to use instead where that would be another
/// training than the one asked for: fp8 in wider formats; a format that some of the kinds have and others have not.
std::vector<std::string> format_notes(Precision precision, const std::vector<const Device*>& devices);
/// The same of clients.
std::vector<std::string> format_notes(Precision precision, const std::vector<ClientGroup>& clients);

}  // namespace orrery
