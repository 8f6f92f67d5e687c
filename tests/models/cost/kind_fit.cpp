// Laws recovered from profiles that were made of them.
#include "models/cost/kind_fit.hpp"

#include <cmath>

#include "models/cost/pass_bytes.hpp"
#include "sim/base/random.hpp"
#include "tests/catch.hpp"
#include "tests/models/small_networks.hpp"

namespace orrery {
namespace {

/// dense1 (1 MFLOP per sample forward), relu, dense2 (10 kFLOP), all by Hockney's law; `noise`: of the seconds.
StepProfile hockney(double overhead, double rate, const std::vector<int>& batches, double noise = 0) {
  const LayerGraph graph = small_perceptron();
  Random random(1);
  StepProfile profile{.network = "small", .notes = {}, .rows = {}};
  for (const int batch : batches) {
    for (const Layer& layer : graph.layers) {
      const double work = layer.kind == LayerKind::dense
                              ? layer_cost(layer).forward.value() * batch
                              : pass_bytes(layer, Pass::forward, batch, {}, Precision::fp32).value();
      const double seconds = (overhead + work / rate) * (1 + noise * random.normal());
      profile.rows.push_back({layer.name, Pass::forward, batch, 1, seconds, seconds, seconds, 0, 0});
    }
  }
  return profile;
}

TEST_CASE("A profile that obeys Hockney's law gives it back without error") {
  const std::vector<KindFit> fits = fit_kinds(hockney(2e-6, 1e11, {1, 8, 32, 64}), small_perceptron());
  REQUIRE(fits.size() == 3);  // dense, relu, loss
  CHECK(fits[0].kind == LayerKind::dense);
  CHECK(fits[0].work == "FLOP");
  CHECK(fits[0].rows == 8);
  CHECK(fits[1].kind == LayerKind::relu);
  CHECK(fits[1].work == "byte");
  CHECK(fits[1].rows == 4);
  for (const KindFit& fit : fits) {
    CHECK(fit.threads == 1);
    CHECK(fit.overhead_s == Approx(2e-6).epsilon(1e-9));
    CHECK(fit.rate == Approx(1e11).epsilon(1e-9));
    CHECK(fit.overhead_error_s < 1e-14);
    CHECK(fit.rate_error < 1e3);
    CHECK(fit.spread < 1e-9);
    CHECK(fit.half() == Approx(2e5));
    // Half of the rate is reached where overhead and work take equally long.
    CHECK(fit.half() / fit.seconds(fit.half()) == Approx(0.5 * fit.rate));
  }
}

TEST_CASE("Three points by hand") {
  // Relu of 500 numbers: 4 bytes x (in + out) = 4000 bytes per sample. 3, 5 and 9 us at 1, 2 and 4 samples: 1 us and
  // 2 us per 4000 bytes.
  StepProfile profile{.network = "small", .notes = {}, .rows = {}};
  for (const auto& [batch, seconds] : {std::pair(1, 3e-6), std::pair(2, 5e-6), std::pair(4, 9e-6)}) {
    profile.rows.push_back({"relu", Pass::forward, batch, 1, seconds, seconds, seconds, 0, 0});
  }
  const std::vector<KindFit> fits = fit_kinds(profile, small_perceptron());
  REQUIRE(fits.size() == 1);
  CHECK(fits[0].overhead_s == Approx(1e-6));
  CHECK(fits[0].rate == Approx(2e9));
}

TEST_CASE("Standard errors cover the noise, and shrink with more rows") {
  std::vector<int> few = {1, 8, 32, 64}, many;
  for (int batch = 1; batch <= 256; ++batch) many.push_back(batch);
  const KindFit from_few = fit_kinds(hockney(2e-6, 1e11, few, 0.05), small_perceptron())[1];
  const KindFit from_many = fit_kinds(hockney(2e-6, 1e11, many, 0.05), small_perceptron())[1];
  CHECK(from_few.overhead_error_s > 0);
  CHECK(from_many.overhead_error_s < from_few.overhead_error_s);
  CHECK(from_many.rate_error / from_many.rate < from_few.rate_error / from_few.rate);
  CHECK(std::abs(from_many.overhead_s - 2e-6) < 4 * from_many.overhead_error_s);
  CHECK(std::abs(from_many.rate - 1e11) < 4 * from_many.rate_error);
  CHECK(from_many.spread == Approx(0.6745 * 0.05).epsilon(0.25));  // median of |normal| is 0.6745
}

TEST_CASE("No overhead is below zero: the line goes through it instead") {
  // 1, 3 and 7 us at 1, 2 and 4 samples of 4000 bytes lie on a line that begins at -1 us.
  StepProfile profile{.network = "small", .notes = {}, .rows = {}};
  for (const auto& [batch, seconds] : {std::pair(1, 1e-6), std::pair(2, 3e-6), std::pair(4, 7e-6)}) {
    profile.rows.push_back({"relu", Pass::forward, batch, 1, seconds, seconds, seconds, 0, 0});
  }
  const std::vector<KindFit> fits = fit_kinds(profile, small_perceptron());
  REQUIRE(fits.size() == 1);
  CHECK(fits[0].overhead_s == 0.0);
  CHECK(fits[0].overhead_error_s == 0.0);
  // b = sum(x / y) / sum((x / y)^2) with x in samples: (1 + 2/3 + 4/7) / (1 + 4/9 + 16/49) us per sample.
  const double per_sample = (1 + 2.0 / 3 + 4.0 / 7) / (1 + 4.0 / 9 + 16.0 / 49) * 1e-6;
  CHECK(fits[0].rate == Approx(4000 / per_sample));
  CHECK(fits[0].rate_error > 0);
}

TEST_CASE("Nothing is fitted to fewer than three sizes, to time that falls, to views or to strangers") {
  CHECK(fit_kinds(hockney(0, 1e11, {8}), small_perceptron()).empty());  // two dense layers, one batch
  StepProfile profile{.network = "small", .notes = {}, .rows = {}};
  for (const int batch : {1, 2, 4, 8}) {
    const double seconds = 1e-3 / batch;
    profile.rows.push_back({"relu", Pass::forward, batch, 1, seconds, seconds, seconds, 0, 0});
    profile.rows.push_back({"unheard", Pass::forward, batch, 1, 1e-3 * batch, 1, 1, 0, 0});
    profile.rows.push_back({"dense1", Pass::forward, batch, 1, 0, 0, 0, 0, 0});
  }
  CHECK(fit_kinds(profile, small_perceptron()).empty());
}

TEST_CASE("An update's work is twelve bytes per trained parameter") {
  LayerGraph graph = small_network(network_text("[1, 1, 10]", "10",
                                                "{ name = \"a\", kind = \"dense\", units = 10 },\n"
                                                "{ name = \"b\", kind = \"dense\", units = 100 },\n"
                                                "{ name = \"c\", kind = \"dense\", units = 10 },\n"
                                                "{ name = \"loss\", kind = \"softmax_cross_entropy\" },\n"));
  StepProfile profile{.network = "small", .notes = {}, .rows = {}};
  const auto add = [&](const std::string& layer, double parameters) {
    const double seconds = 1e-6 + 12 * parameters / 1e10;
    profile.rows.push_back({layer, Pass::optimizer, 1, 1, seconds, seconds, seconds, 0, 0});
  };
  add("a", 110);
  add("b", 1100);
  add("c", 1010);
  const std::vector<KindFit> fits = fit_kinds(profile, graph);
  REQUIRE(fits.size() == 1);
  CHECK(fits[0].pass == Pass::optimizer);
  CHECK(fits[0].work == "byte");
  CHECK(fits[0].overhead_s == Approx(1e-6));
  CHECK(fits[0].rate == Approx(1e10));
  graph.layers[0].frozen = true;  // two sizes are left
  CHECK(fit_kinds(profile, graph).empty());
}

TEST_CASE("Fits are written as a table") {
  KindFit fit{LayerKind::dense, Pass::backward, 2, "FLOP"};
  fit.overhead_s = 2e-6;
  fit.overhead_error_s = 1e-7;
  fit.rate = 1e11;
  fit.rate_error = 5e9;
  fit.spread = 0.125;
  fit.rows = 12;
  CHECK(to_csv(std::vector{fit}) ==
        "kind,pass,threads,work,overhead_s,overhead_error_s,rate_per_s,rate_error_per_s,half_work,spread,rows\n"
        "dense,backward,2,FLOP,2e-06,1e-07,1e+11,5e+09,200000,0.125,12\n");
}

}  // namespace
}  // namespace orrery
