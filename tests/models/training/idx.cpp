// Data files, right and malformed.
#include "models/training/idx.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "sim/base/errors.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xFFU);
  return bytes;
}

// Three training images of 2 x 2 pixels and one test image, in a folder of their own.
class IdxFolder {
 public:
  IdxFolder() : path_(std::filesystem::temp_directory_path() / fmt::format("orrery_idx_{}", getpid())) {
    std::filesystem::create_directories(path_);
    write("train-images", images_);
    write("train-labels", labels_);
    write("test-images", big_endian(0x803) + big_endian(1) + big_endian(2) + big_endian(2) + "abcd");
    write("test-labels", big_endian(0x801) + big_endian(1) + '\2');
    source_ = {path_,
               {2, 2, 1},
               {"train-images", "train-labels", 3, 0, 0},
               {"test-images", "test-labels", 1, 0, 0},
               "./dev data small"};
    for (IdxPart* part : {&source_.train, &source_.test}) {
      part->images_crc32 = crc_of(part->images);
      part->labels_crc32 = crc_of(part->labels);
    }
  }
  ~IdxFolder() { std::filesystem::remove_all(path_); }
  IdxFolder(const IdxFolder&) = delete;
  IdxFolder& operator=(const IdxFolder&) = delete;

  void write(const std::string& name, const std::string& content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
  }
  void write_gzipped(const std::string& name, const std::string& content, std::size_t cut) const {
    const std::string file = (path_ / name).string();
    const gzFile out = gzopen(file.c_str(), "wb");
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

  /// The error text of reading, with the folder's path left out.
  [[nodiscard]] std::string error() const {
    try {
      read_idx(source_);
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

  [[nodiscard]] const IdxSource& source() const { return source_; }
  [[nodiscard]] const std::string& images() const { return images_; }
  [[nodiscard]] const std::string& labels() const { return labels_; }

 private:
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ostringstream content;
    content << std::ifstream(path_ / name, std::ios::binary).rdbuf();
    return content.str();
  }
  [[nodiscard]] std::uint32_t crc_of(const std::string& name) const {
    const std::string content = read(name);
    return static_cast<std::uint32_t>(
        crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size())));
  }

  std::filesystem::path path_;
  std::string images_ = big_endian(0x803) + big_endian(3) + big_endian(2) + big_endian(2) + std::string(4, '\0') +
                        std::string(4, '\xFF') + "\x33\x66\x99\xCC";
  std::string labels_ = big_endian(0x801) + big_endian(3) + "\1\2\3";
  IdxSource source_;
};

TEST_CASE("pixels are read as shares of 255 and labels as they are, gzipped or not") {
  const IdxFolder folder;
  const bool gzipped = GENERATE(false, true);
  if (gzipped) folder.write_gzipped("train-images", folder.images(), 0);
  const IdxSamples samples = read_idx(folder.source());
  CHECK(samples.train.inputs == std::vector<float>{0, 0, 0, 0, 1, 1, 1, 1, 0.2F, 0.4F, 0.6F, 0.8F});
  CHECK(samples.train.labels == std::vector<std::int32_t>{1, 2, 3});
  CHECK(samples.test.count() == 1);
}

TEST_CASE("malformed data files are refused with what is wrong and how to mend it") {
  const IdxFolder folder;
  const std::string end = " - run `./dev data small`";
  SECTION("missing") {
    folder.remove("test-labels");
    CHECK(folder.error() == "test-labels: cannot be opened (No such file or directory)" + end);
  }
  SECTION("empty") {
    folder.write("train-labels", "");
    CHECK(folder.error() == "train-labels: is empty" + end);
  }
  SECTION("truncated gzip") {
    folder.write_gzipped("train-images", folder.images(), 12);
    CHECK(folder.error() == "train-images: is truncated (the compressed data ends too early)" + end);
  }
  SECTION("damaged gzip") {
    folder.write_gzipped("train-images", folder.images(), 0);
    folder.flip_last_byte("train-images");  // the length that the gzip trailer gives
    CHECK(folder.error() == "train-images: cannot be unpacked (the compressed data is damaged)" + end);
  }
  SECTION("shorter than a header") {
    folder.write("train-images", folder.images().substr(0, 7));
    CHECK(folder.error() == "train-images: is truncated (7 bytes are no IDX header)" + end);
  }
  SECTION("wrong magic number") {
    folder.write("train-images", folder.labels() + folder.labels());
    CHECK(folder.error() ==
          "train-images: is no IDX file of images (its magic number is 0x00000801, not 0x00000803)" + end);
    folder.write("train-labels", folder.images());
    folder.write("train-images", folder.images());
    CHECK(folder.error() ==
          "train-labels: is no IDX file of labels (its magic number is 0x00000803, not 0x00000801)" + end);
  }
  SECTION("counts that disagree") {
    folder.write("train-labels", big_endian(0x801) + big_endian(2) + "\1\2");
    CHECK(folder.error() == "train-labels: holds 2 numbers (3 are expected)" + end);
    folder.write("train-labels", folder.labels());
    folder.write("train-images", big_endian(0x803) + big_endian(3) + big_endian(4) + big_endian(1) + "abcdabcdabcd");
    CHECK(folder.error() == "train-images: holds 3 x 4 x 1 numbers (3 x 2 x 2 are expected)" + end);
  }
  SECTION("content that ends early, and content that goes on") {
    folder.write("train-images", folder.images().substr(0, 27));
    CHECK(folder.error() == "train-images: is truncated (27 bytes are there, its header promises 28)" + end);
    folder.write("train-images", folder.images() + "more");
    CHECK(folder.error() == "train-images: is too long (its header promises 28 bytes)" + end);
  }
  SECTION("a single wrong bit") {
    folder.flip_last_byte("train-labels");
    CHECK(folder.error() ==
          "train-labels: has other content than published (its CRC-32 is d3bad51d, not a4bde58b)" + end);
  }
  SECTION("several files at once") {
    folder.remove("train-images");
    folder.remove("test-images");
    CHECK(folder.error() == "test-images: cannot be opened (No such file or directory)" + end +
                                "\ntrain-images: cannot be opened (No such file or directory)" + end);
  }
}

}  // namespace
}  // namespace orrery
