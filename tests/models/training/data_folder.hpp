// Data files, right and defective, in a folder of their own.
#pragma once

#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "sim/base/errors.hpp"

namespace orrery {

class DataFolder {
 public:
  explicit DataFolder(const std::string& name)
      : path_(std::filesystem::temp_directory_path() / fmt::format("orrery_{}_{}", name, getpid())) {
    std::filesystem::create_directories(path_);
  }
  ~DataFolder() { std::filesystem::remove_all(path_); }
  DataFolder(const DataFolder&) = delete;
  DataFolder& operator=(const DataFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  void write(const std::string& name, const std::string& content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
  }
  /// cut: bytes left out at the end.
  void write_gzipped(const std::string& name, const std::string& content, std::size_t cut) const {
    const std::string file = (path_ / name).string();
    auto* const out = gzopen(file.c_str(), "wb");
    gzwrite(out, content.data(), static_cast<unsigned>(content.size()));
    gzclose(out);
    std::filesystem::resize_file(file, std::filesystem::file_size(file) - cut);
  }
  void flip_last_byte(const std::string& name) const {
    std::string content = read(name);
    content.back() = static_cast<char>(content.back() ^ 1);
    write(name, content);
  }
  void remove(const std::string& name) const { std::filesystem::remove(path_ / name); }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ostringstream content;
    content << std::ifstream(path_ / name, std::ios::binary).rdbuf();
    return content.str();
  }

  /// The error text of `reading`, with the folder's path left out; "none" when it succeeds.
  template <class Reading>
  [[nodiscard]] std::string error_of(Reading reading) const {
    try {
      reading();
    } catch (const InvalidInput& input) {
      std::string text = input.what();
      const std::string folder = path_.string() + "/";
      for (std::size_t at = text.find(folder); at != std::string::npos; at = text.find(folder)) {
        text.erase(at, folder.size());
      }
      return text;
    }
    return "none";
  }

 private:
  std::filesystem::path path_;
};

inline std::uint32_t crc_of(const std::string& content) {
  const auto* bytes = reinterpret_cast<const Bytef*>(content.data());
  return static_cast<std::uint32_t>(crc32(0, bytes, static_cast<uInt>(content.size())));
}

}  // namespace orrery
