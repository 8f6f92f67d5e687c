#include "analysis/validation/measured/training_length.hpp"

#include "analysis/validation/measured/row_network.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

using Unit = TrainingAmount::Unit;

struct AmountCase {
  const char* notes;
  Unit unit;
  double count;
};

MeasuredRow two_phases(const std::string& notes) {
  MeasuredRow row;
  row.model = "BERT-large";
  row.notes = notes;
  row.in_words = {{"seq_len", "128 then 512"}, {"global_batch", "64K then 32K"}, {"micro_batch", "64 then 8"}};
  return row;
}

std::string why_skipped(const MeasuredRow& row) {
  try {
    training_phases(row);
  } catch (const RowSkipped& skipped) {
    return skipped.what();
  }
  return "not skipped";
}

}  // namespace

TEST_CASE("how long a training is, as people write it") {
  const AmountCase cases[] = {{"about 21 days for 1.4T tokens", Unit::tokens, 1.4e12},
                              {"300 billion tokens, AdamW", Unit::tokens, 300e9},
                              {"batch of 4M tokens; 366B tokens", Unit::tokens, 366e9},
                              {"batch 2M tokens, trained on 180B tokens", Unit::tokens, 180e9},
                              {"3.2k images/s over 90 epochs", Unit::epochs, 90},
                              {"4M tokens per step, 2 trillion tokens", Unit::tokens, 2e12},
                              {"1,281,167 images", Unit::samples, 1281167},
                              {"1M samples", Unit::samples, 1e6},
                              {"403M seq-128 samples", Unit::samples, 403e6}};
  for (const AmountCase& known : cases) {
    INFO(known.notes);
    const std::vector<TrainingAmount> amounts = training_amounts(known.notes);
    REQUIRE(amounts.size() == 1);
    CHECK(amounts[0].unit == known.unit);
    CHECK(amounts[0].count == Approx(known.count));
  }
}

TEST_CASE("what a step or a second takes is not the length of a training") {
  for (const char* notes :
       {"", "batch 2M tokens", "batch of 512 samples", "8,192 tokens", "sequences of 8k tokens", "1.1k images/s",
        "4M tokens per step", "4M tokens batch", "tokens", "0 epochs", "a few epochs"}) {
    INFO(notes);
    CHECK(training_amounts(notes).empty());
  }
}

TEST_CASE("phases of a training, each with its own sequences and batch") {
  const auto phases = training_phases(two_phases("403M seq-128 samples then about 20M seq-512 samples"));
  REQUIRE(phases.size() == 2);
  CHECK(phases[0].row.seq_len == 128);
  CHECK(phases[0].row.global_batch == 65536);
  CHECK(phases[0].row.micro_batch == 64);
  CHECK(phases[0].amount.count == Approx(403e6));
  CHECK(phases[1].row.seq_len == 512);
  CHECK(phases[1].row.global_batch == 32768);
  CHECK(phases[1].amount.count == Approx(20e6));
  CHECK(phases[1].row.in_words.empty());
}

TEST_CASE("phases that do not say enough are skipped") {
  CHECK(why_skipped(two_phases("LAMB")) == "missing: samples of the whole training, in the notes");
  CHECK(why_skipped(two_phases("403M samples")) == "missing: samples of each of 2 phases, in the notes");
  MeasuredRow uneven = two_phases("403M samples, 20M samples");
  uneven.in_words.push_back({"heads", "16"});
  uneven.in_words[2].second = "64 then 8 then 4";
  uneven.notes += ", 3M samples";
  CHECK(why_skipped(uneven) == "cells that name phases do not agree how many there are");
}

}  // namespace orrery
