// Data sets that a machine may lack. A test that needs one says so and ends.
#pragma once

#include <iostream>
#include <optional>
#include <string>

#include "models/training/dataset.hpp"
#include "sim/base/errors.hpp"
#include "sim/base/files.hpp"

namespace orrery {

/// Nothing, after a message that names the mending command, when the files are not there. Files that are there but
/// defective make the test fail.
inline std::optional<DataSet> published_data(const std::string& name) {
  const bool mnist = name == "mnist";
  const std::filesystem::path folder =
      mnist ? data_directory() / "data" / "mnist" : std::filesystem::path("/usr/share/datasets/fashion-mnist");
  if (std::filesystem::exists(folder)) return load_data_set(name, 1);
  std::cerr << "skipped: " << name << " is not on this machine; `"
            << (mnist ? "./dev data mnist" : "apt-get install dataset-fashion-mnist") << "` brings it\n";
  return std::nullopt;
}

}  // namespace orrery
