// The catalogue that ships, read once per test program.
#pragma once

#include "sim/base/files.hpp"
#include "topologies/catalogue.hpp"

namespace orrery {

inline const Catalogue& shipped_catalogue() {
  static const Catalogue catalogue = [] {
    Problems problems;
    Catalogue read = read_catalogue(data_directory() / "topologies" / "catalogue", problems);
    problems.throw_if_any();
    return read;
  }();
  return catalogue;
}

}  // namespace orrery
