#include "models/training/idx.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "sim/base/errors.hpp"

namespace orrery {
namespace {

// Magic numbers: two zero bytes, type 8 = unsigned byte, number of dimensions.
constexpr std::uint32_t image_magic = 0x00000803, label_magic = 0x00000801;

struct Expectation {
  std::string file;
  std::vector<std::int64_t> dimensions;  // samples, or samples x height x width
  std::uint32_t crc32 = 0;

  [[nodiscard]] std::uint32_t magic() const { return dimensions.size() == 1 ? label_magic : image_magic; }
  [[nodiscard]] std::size_t header() const { return 4 * (1 + dimensions.size()); }
  [[nodiscard]] std::size_t bytes() const {
    std::int64_t content = 1;
    for (const std::int64_t dimension : dimensions) content *= dimension;
    return header() + static_cast<std::size_t>(content);
  }
};

class Reader {
 public:
  Reader(const IdxSource& source, Problems& problems) : source_(source), problems_(problems) {}

  Samples read(const IdxPart& part) {
    const Shape& shape = source_.shape;
    const auto images = bytes_of({part.images, {part.samples, shape.height, shape.width}, part.images_crc32});
    const auto labels = bytes_of({part.labels, {part.samples}, part.labels_crc32});
    Samples samples;
    samples.inputs.resize(images.size());
    std::transform(images.begin(), images.end(), samples.inputs.begin(),
                   [](std::uint8_t pixel) { return static_cast<float>(pixel) / 255.0F; });
    samples.labels.assign(labels.begin(), labels.end());
    return samples;
  }

 private:
  // The content behind the header; empty after recording a problem.
  std::vector<std::uint8_t> bytes_of(const Expectation& expected) {
    std::vector<std::uint8_t> bytes = unpack(expected);
    if (bytes.empty() || !check(expected, bytes)) return {};
    bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(expected.header()));
    return bytes;
  }

  std::vector<std::uint8_t> unpack(const Expectation& expected) {
    const std::string path = (source_.folder / expected.file).string();
    const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
    if (!file) return refuse(expected, "cannot be opened", std::strerror(errno));
    // One byte more than expected, so that a longer file shows.
    std::vector<std::uint8_t> bytes(expected.bytes() + 1);
    const int count = gzread(file.get(), bytes.data(), static_cast<unsigned>(bytes.size()));
    int status = Z_OK;
    gzerror(file.get(), &status);
    if (status == Z_BUF_ERROR) return refuse(expected, "is truncated", "the compressed data ends too early");
    if (count < 0 || status != Z_OK) return refuse(expected, "cannot be unpacked", "the compressed data is damaged");
    if (count == 0) return refuse(expected, "is empty", "");
    bytes.resize(static_cast<std::size_t>(count));
    return bytes;
  }

  bool check(const Expectation& expected, const std::vector<std::uint8_t>& bytes) {
    if (bytes.size() < expected.header()) {
      refuse(expected, "is truncated", fmt::format("{} bytes are no IDX header", bytes.size()));
    } else if (const std::uint32_t magic = word(bytes, 0); magic != expected.magic()) {
      refuse(expected, expected.magic() == image_magic ? "is no IDX file of images" : "is no IDX file of labels",
             fmt::format("its magic number is {:#010x}, not {:#010x}", magic, expected.magic()));
    } else if (dimensions(bytes, expected) != to_text(expected.dimensions)) {
      refuse(expected, fmt::format("holds {} numbers", dimensions(bytes, expected)),
             fmt::format("{} are expected", to_text(expected.dimensions)));
    } else if (bytes.size() > expected.bytes()) {
      refuse(expected, "is too long", fmt::format("its header promises {} bytes", expected.bytes()));
    } else if (bytes.size() < expected.bytes()) {
      refuse(expected, "is truncated",
             fmt::format("{} bytes are there, its header promises {}", bytes.size(), expected.bytes()));
    } else if (const auto sum = crc32(0, bytes.data(), static_cast<uInt>(bytes.size())); sum != expected.crc32) {
      refuse(expected, "has other content than published",
             fmt::format("its CRC-32 is {:08x}, not {:08x}", sum, expected.crc32));
    } else {
      return true;
    }
    return false;
  }

  static std::uint32_t word(const std::vector<std::uint8_t>& bytes, std::size_t index) {
    std::uint32_t value = 0;
    for (std::size_t i = 4 * index; i < 4 * index + 4; ++i) value = value << 8U | bytes[i];
    return value;
  }

  static std::string dimensions(const std::vector<std::uint8_t>& bytes, const Expectation& expected) {
    std::vector<std::int64_t> found;
    for (std::size_t i = 0; i < expected.dimensions.size(); ++i) found.push_back(word(bytes, i + 1));
    return to_text(found);
  }

  static std::string to_text(const std::vector<std::int64_t>& dimensions) {
    return fmt::format("{}", fmt::join(dimensions, " x "));
  }

  std::vector<std::uint8_t> refuse(const Expectation& expected, const std::string& what, const std::string& why) {
    problems_.add({.at = {.file = (source_.folder / expected.file).string()},
                   .key = {},
                   .what = what,
                   .why = why,
                   .suggestion = fmt::format("run `{}`", source_.mend),
                   .source_line = {}});
    return {};
  }

  const IdxSource& source_;
  Problems& problems_;
};

}  // namespace

IdxSamples read_idx(const IdxSource& source) {
  Problems problems;
  Reader reader(source, problems);
  IdxSamples samples;
  samples.train = reader.read(source.train);
  samples.test = reader.read(source.test);
  problems.throw_if_any();
  return samples;
}

}  // namespace orrery
