// Data files, right and malformed.
#include "models/training/idx.hpp"

#include <string>

#include "tests/catch.hpp"
#include "tests/models/training/data_folder.hpp"

namespace orrery {
namespace {

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xFFU);
  return bytes;
}

// Three training images of 2 x 2 pixels and one test image.
class IdxFolder : public DataFolder {
 public:
  IdxFolder() : DataFolder("idx") {
    write("train-images", images_);
    write("train-labels", labels_);
    write("test-images", big_endian(0x803) + big_endian(1) + big_endian(2) + big_endian(2) + "abcd");
    write("test-labels", big_endian(0x801) + big_endian(1) + '\2');
    source_ = {path(),
               {2, 2, 1},
               {"train-images", "train-labels", 3, 0, 0},
               {"test-images", "test-labels", 1, 0, 0},
               "./dev data small"};
    for (IdxPart* part : {&source_.train, &source_.test}) {
      part->images_crc32 = crc_of(read(part->images));
      part->labels_crc32 = crc_of(read(part->labels));
    }
  }

  [[nodiscard]] std::string error() const {
    return error_of([&] { read_idx(source_); });
  }
  [[nodiscard]] const IdxSource& source() const { return source_; }
  [[nodiscard]] const std::string& images() const { return images_; }
  [[nodiscard]] const std::string& labels() const { return labels_; }

 private:
  std::string images_ = big_endian(0x803) + big_endian(3) + big_endian(2) + big_endian(2) + std::string(4, '\0') +
                        std::string(4, '\xFF') + "\x33\x66\x99\xCC";
  std::string labels_ = big_endian(0x801) + big_endian(3) + "\1\2\3";
  IdxSource source_;
};

TEST_CASE("pixels are read as shares of 255 and labels as they are, gzipped or not") {
  const IdxFolder folder;
  const bool gzipped = GENERATE(false, true);
  if (gzipped) folder.write_gzipped("train-images", folder.images(), 0);
  const SampleSets samples = read_idx(folder.source());
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
  SECTION("a folder") {
    folder.remove("train-labels");
    std::filesystem::create_directory(folder.path() / "train-labels");
    CHECK(folder.error() == "train-labels: cannot be read (Is a directory)" + end);
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
