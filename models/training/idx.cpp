#include "models/training/idx.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "models/training/gzip_file.hpp"
#include "sim/base/errors.hpp"

namespace orrery {
namespace {

// Magic numbers: two zero bytes, type 8 = unsigned byte, number of dimensions.
constexpr std::uint32_t image_magic = 0x00000803, label_magic = 0x00000801;

using Content = std::vector<std::uint8_t>;
using Dimensions = std::vector<std::int64_t>;  // samples, or samples x height x width

std::size_t header_bytes(const Dimensions& dimensions) {
  return 4 * (1 + dimensions.size());
}

std::size_t file_bytes(const Dimensions& dimensions) {
  std::int64_t content = 1;
  for (const std::int64_t dimension : dimensions) content *= dimension;
  return header_bytes(dimensions) + static_cast<std::size_t>(content);
}

std::uint32_t word(const Content& content, std::size_t index) {
  std::uint32_t value = 0;
  for (std::size_t i = 4 * index; i < 4 * index + 4; ++i) value = value << 8U | content[i];
  return value;
}

std::string as_text(const Dimensions& dimensions) {
  return fmt::format("{}", fmt::join(dimensions, " x "));
}

std::string dimensions_in(const Content& content, std::size_t count) {
  Dimensions found;
  for (std::size_t i = 0; i < count; ++i) found.push_back(word(content, i + 1));
  return as_text(found);
}

class Reader {
 public:
  Reader(const IdxSource& source, Problems& problems) : source_(source), problems_(problems) {}

  Samples read(const IdxPart& part) {
    const Shape& shape = source_.shape;
    const Content images = read(part.images, {part.samples, shape.height, shape.width}, part.images_crc32);
    const Content labels = read(part.labels, {part.samples}, part.labels_crc32);
    Samples samples;
    samples.inputs.resize(images.size());
    std::transform(images.begin(), images.end(), samples.inputs.begin(),
                   [](std::uint8_t pixel) { return static_cast<float>(pixel) / 255.0F; });
    samples.labels.assign(labels.begin(), labels.end());
    return samples;
  }

 private:
  // The content behind the header; empty after recording a problem.
  Content read(const std::string& name, const Dimensions& dimensions, std::uint32_t crc32) {
    const PublishedFile file{source_.folder / name, file_bytes(dimensions), crc32, source_.mend};
    Content content = read_packed(file, problems_);
    if (content.empty() || !check(file, dimensions, content) || !check_sum(file, content, problems_)) return {};
    content.erase(content.begin(), content.begin() + static_cast<std::ptrdiff_t>(header_bytes(dimensions)));
    return content;
  }

  bool check(const PublishedFile& file, const Dimensions& dimensions, const Content& content) {
    const auto refuse = [&](std::string what, std::string why) {
      add_problem(file, {}, std::move(what), std::move(why), problems_);
      return false;
    };
    if (content.size() < header_bytes(dimensions)) {
      return refuse("is truncated", fmt::format("{} bytes are no IDX header", content.size()));
    }
    const bool is_images = dimensions.size() > 1;
    const std::uint32_t magic = word(content, 0), expected = is_images ? image_magic : label_magic;
    if (magic != expected) {
      return refuse(is_images ? "is no IDX file of images" : "is no IDX file of labels",
                    fmt::format("its magic number is {:#010x}, not {:#010x}", magic, expected));
    }
    const std::string found = dimensions_in(content, dimensions.size());
    if (found != as_text(dimensions)) {
      return refuse(fmt::format("holds {} numbers", found), fmt::format("{} are expected", as_text(dimensions)));
    }
    if (content.size() > file.bytes) {
      return refuse("is too long", fmt::format("its header promises {} bytes", file.bytes));
    }
    if (content.size() < file.bytes) {
      return refuse("is truncated",
                    fmt::format("{} bytes are there, its header promises {}", content.size(), file.bytes));
    }
    return true;
  }

  const IdxSource& source_;
  Problems& problems_;
};

}  // namespace

SampleSets read_idx(const IdxSource& source) {
  Problems problems;
  Reader reader(source, problems);
  SampleSets sets;
  sets.train = reader.read(source.train);
  sets.test = reader.read(source.test);
  problems.throw_if_any();
  return sets;
}

}  // namespace orrery
