#include "models/training/gzip_file.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

namespace orrery {

void add_problem(const PublishedFile& file, Position at, std::string what, std::string why, Problems& problems) {
  at.file = file.path.string();
  problems.add({.at = std::move(at),
                .key = {},
                .what = std::move(what),
                .why = std::move(why),
                .suggestion = fmt::format("run `{}`", file.mend),
                .source_line = {}});
}

std::vector<std::uint8_t> read_packed(const PublishedFile& file, Problems& problems) {
  const auto refuse = [&](const char* what, const char* why) {
    add_problem(file, {}, what, why, problems);
    return std::vector<std::uint8_t>{};
  };
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> packed(gzopen(file.path.c_str(), "rb"), gzclose);
  if (!packed) return refuse("cannot be opened", std::strerror(errno));
  std::vector<std::uint8_t> content(file.bytes + 1);
  const int count = gzread(packed.get(), content.data(), static_cast<unsigned>(content.size()));
  const int system_error = errno;
  int status = Z_OK;
  gzerror(packed.get(), &status);
  if (status == Z_BUF_ERROR) return refuse("is truncated", "the compressed data ends too early");
  if (status == Z_ERRNO) return refuse("cannot be read", std::strerror(system_error));
  if (count < 0 || status != Z_OK) return refuse("cannot be unpacked", "the compressed data is damaged");
  if (count == 0) return refuse("is empty", "");
  content.resize(static_cast<std::size_t>(count));
  return content;
}

bool check_sum(const PublishedFile& file, const std::vector<std::uint8_t>& content, Problems& problems) {
  const auto sum = crc32(0, content.data(), static_cast<uInt>(content.size()));
  if (sum == file.crc32) return true;
  add_problem(file, {}, "has other content than published",
              fmt::format("its CRC-32 is {:08x}, not {:08x}", sum, file.crc32), problems);
  return false;
}

}  // namespace orrery
