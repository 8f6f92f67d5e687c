// UCI's optical digits: 8 x 8 pixels and a label per line of a CSV file without header.
#pragma once

#include <cstddef>
#include <cstdint>

#include "models/training/dataset.hpp"
#include "models/training/gzip_file.hpp"

namespace orrery {

inline constexpr Shape digits_shape{8, 8, 1};

/// Lines of 64 whole numbers from 0 to 16 (pixels, row by row) and one from 0 to 9 (the digit), separated by commas;
/// plain or gzipped. Pixels become value / 16. Throws InvalidInput naming line and column of the first 10 wrong lines,
/// or what is wrong with the whole: a number of lines other than `samples`, too many bytes, another checksum.
Samples read_digits(const PublishedFile& file, std::size_t samples);

}  // namespace orrery
