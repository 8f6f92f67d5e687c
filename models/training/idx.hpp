// The IDX format of MNIST and its kin: images and labels as bytes behind a big-endian header, plain or gzipped.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "models/training/dataset.hpp"

namespace orrery {

/// One image file with its label file, and what both must hold.
struct IdxPart {
  std::string images, labels;  // file names
  std::int64_t samples = 0;
  std::uint32_t images_crc32 = 0, labels_crc32 = 0;  // of the unpacked content
};

struct IdxSource {
  std::filesystem::path folder;
  Shape shape;
  IdxPart train, test;
  std::string mend;  // command that brings the files, for error messages
};

/// Reads the four files; pixels become value / 255. Throws InvalidInput with the problems of all four.
SampleSets read_idx(const IdxSource& source);

}  // namespace orrery
