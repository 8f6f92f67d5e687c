// Data files as they come: plain or gzipped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "sim/base/errors.hpp"

namespace orrery {

/// A file that somebody else publishes, with what it must hold.
struct PublishedFile {
  std::filesystem::path path;
  std::size_t bytes = 0;    // unpacked
  std::uint32_t crc32 = 0;  // of the unpacked content
  std::string mend;         // command that brings the file, for messages
};

/// Unpacked content, at most one byte more than expected so that a longer file shows. Empty after recording a problem:
/// the file cannot be opened or read, is empty, is truncated or damaged as gzip.
std::vector<std::uint8_t> read_packed(const PublishedFile& file, Problems& problems);

/// Whether the content is the published one; records a problem when its CRC-32 is another.
bool check_sum(const PublishedFile& file, const std::vector<std::uint8_t>& content, Problems& problems);

/// Records a problem of this file, with its mending command. at.file is filled in.
void add_problem(const PublishedFile& file, Position at, std::string what, std::string why, Problems& problems);

}  // namespace orrery
