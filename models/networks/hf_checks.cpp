#include "models/networks/hf_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "sim/base/nearest.hpp"

namespace orrery {

namespace {

/// A dimension under the name that the family has for it.
struct Named {
  std::string key;  // empty: the family has none
  std::int64_t value;
};

class DimensionCheck {
 public:
  DimensionCheck(HfKeys& keys, const HfModel& model) : keys_(keys), shape_(model.shape), patches_(model.patches) {}

  void all() {
    const Named heads = named({"num_attention_heads", "n_head", "num_heads"}, shape_.heads);
    const Named layers = named({"num_hidden_layers", "n_layer", "num_layers"}, shape_.layers);
    if (shape_.head_size == 0 && shape_.kv_rank == 0) {
      divides(heads, named({"hidden_size", "n_embed", "n_embd"}, shape_.hidden), "every head is as wide as the others");
    }
    if (shape_.kv_heads > 0) {
      divides(named({"num_key_value_heads", "num_kv_heads"}, shape_.kv_heads), heads,
              "as many heads of queries share each of keys and values");
    }
    within(named({"first_k_dense_replace"}, shape_.dense_layers), layers, "the first blocks have no experts");
    within(named({"num_experts_per_tok"}, shape_.experts_per_token),
           named({"num_local_experts", "num_experts", "n_routed_experts"}, shape_.experts),
           "a token goes to different experts");
    if (patches_.image > 0) {
      within(named({"patch_size"}, patches_.patch), named({"image_size"}, patches_.image), "patches are cut out of it");
    }
  }

 private:
  [[nodiscard]] Named named(const std::vector<std::string>& names, std::int64_t value) const {
    std::string defaulted;
    for (const std::string& name : names) {
      if (!keys_.was_read(name)) continue;
      if (keys_.has(name)) return {name, value};
      defaulted = name;
    }
    return {defaulted, value};
  }

  [[nodiscard]] bool can_be_judged(const Named& part, const Named& whole) const {
    return !part.key.empty() && !whole.key.empty() && !keys_.is_wrong(part.key) && !keys_.is_wrong(whole.key);
  }

  /// "num_attention_heads 32", and where the file does not say so, whose word it is.
  [[nodiscard]] std::string text_of(const Named& named) const {
    const std::string otherwise = keys_.has(named.key) ? "" : ", the default of " + keys_.family();
    return fmt::format("{} {}{}", named.key, named.value, otherwise);
  }

  /// Of two keys the part is to blame, as the whole decides more; but not when the file leaves it to the default.
  void divides(const Named& part, const Named& whole, const std::string& why) {
    if (!can_be_judged(part, whole) || whole.value % part.value == 0) return;
    if (keys_.has(part.key) || !keys_.has(whole.key)) {
      keys_.problem(part.key, fmt::format("{} does not divide {}", part.value, text_of(whole)), why,
                    "use " + nearest_divisors(whole.value, part.value));
    } else {
      keys_.problem(whole.key, fmt::format("{} is no multiple of {}", whole.value, text_of(part)), why,
                    nearest_multiples(part.value, whole.value));
    }
  }

  void within(const Named& part, const Named& whole, const std::string& why) {
    if (!can_be_judged(part, whole) || part.value <= whole.value) return;
    if (keys_.has(part.key) || !keys_.has(whole.key)) {
      keys_.problem(part.key, fmt::format("{} is more than {}", part.value, text_of(whole)), why,
                    fmt::format("use at most {}", whole.value));
    } else {
      keys_.problem(whole.key, fmt::format("{} is less than {}", whole.value, text_of(part)), why,
                    fmt::format("use at least {}", part.value));
    }
  }

  static std::string nearest_multiples(std::int64_t part, std::int64_t whole) {
    const std::int64_t below = whole / part * part;
    return below > 0 ? fmt::format("use {} or {}", below, below + part) : fmt::format("use {}", part);
  }

  HfKeys& keys_;
  const TransformerShape& shape_;
  const PatchShape& patches_;
};

}  // namespace

void check_dimensions(HfKeys& keys, const HfModel& model) {
  DimensionCheck(keys, model).all();
}

}  // namespace orrery
