// Data sets that a machine may lack. A test that needs one says so and ends.
#pragma once

#include <filesystem>
#include <iostream>
#include <map>
#include <optional>
#include <string>

#include "models/training/dataset.hpp"
#include "sim/base/files.hpp"

namespace orrery {

/// Nothing, after a message that names the mending command, when the files are not there. Files that are there but
/// defective make the test fail.
inline std::optional<DataSet> published_data(const std::string& name) {
  struct Place {
    std::filesystem::path path;
    std::string mend;
  };
  const std::map<std::string, Place> places = {
      {"mnist", {data_directory() / "data" / "mnist", "./dev data mnist"}},
      {"fashion-mnist", {"/usr/share/datasets/fashion-mnist", "apt-get install dataset-fashion-mnist"}},
      {"digits", {"/usr/lib/python3/dist-packages/sklearn", "apt-get install python3-sklearn"}}};
  const Place& place = places.at(name);
  if (std::filesystem::exists(place.path)) return load_data_set(name, 1);
  std::cerr << "skipped: " << name << " is not on this machine; `" << place.mend << "` brings it\n";
  return std::nullopt;
}

}  // namespace orrery
