// The columns of search.csv.
#include "analysis/reports/csv_helpers.hpp"
#include "analysis/reports/search_report.hpp"
#include "sim/base/csv.hpp"

namespace orrery {
namespace {

using Column = CsvColumn<FoundLayout>;

template <auto Member>
std::string of_layout(const FoundLayout& found) {
  return number_text(std::int64_t{found.closed_form.layout.*Member});
}
template <auto Member>
std::string named_in_layout(const FoundLayout& found) {
  return std::string(name_of(found.closed_form.layout.*Member));
}
template <auto Member>
std::string of_closed_form(const FoundLayout& found) {
  return number_text(found.closed_form.*Member);
}
/// 0 stands for unknown.
template <auto Member>
std::string where_known(const FoundLayout& found) {
  const double value = found.closed_form.*Member;
  return value > 0 ? number_text(value) : std::string{};
}
template <auto Member>
std::string of_simulation(const FoundLayout& found) {
  return number_text(found.*Member);
}
template <auto End>
std::string of_range(const FoundLayout& found) {
  return found.step_range ? number_text((*found.step_range).*End) : std::string{};
}
std::string yes_or_no(bool is_so) {
  return is_so ? "true" : "false";
}

const std::vector<Column>& search_columns() {
  static const std::vector<Column> columns = {
      {"rank", [](const FoundLayout& found) { return std::to_string(found.rank); }},
      {"pareto", [](const FoundLayout& found) { return yes_or_no(found.closed_form.on_front); }},
      {"layout", [](const FoundLayout& found) { return to_text(found.closed_form.layout); }},
      {"dp", of_layout<&Layout::dp>},
      {"tp", of_layout<&Layout::tp>},
      {"pp", of_layout<&Layout::pp>},
      {"cp", of_layout<&Layout::cp>},
      {"ep", of_layout<&Layout::ep>},
      {"etp", [](const FoundLayout& found) { return std::to_string(expert_tensor_degree(found.closed_form.layout)); }},
      {"zero_stage", of_layout<&Layout::zero_stage>},
      {"microbatch", of_layout<&Layout::microbatch>},
      {"interleave", of_layout<&Layout::interleave>},
      {"recompute", named_in_layout<&Layout::recompute>},
      {"schedule", named_in_layout<&Layout::schedule>},
      {"sequence_parallel",
       [](const FoundLayout& found) {
         return yes_or_no(found.closed_form.layout.sequence_parallel == SequenceParallel::on);
       }},
      {"step_s", of_closed_form<&Candidate::step_s>},
      {"step_low_s", of_range<&Ranged::low>},
      {"step_high_s", of_range<&Ranged::high>},
      {"memory_GiB", of_closed_form<&Candidate::memory_GiB>},
      {"cost", where_known<&Candidate::cost>},
      {"energy_J", where_known<&Candidate::energy_J>},
      {"mfu", of_closed_form<&Candidate::mfu>},
      {"status", [](const FoundLayout& found) { return found.status; }},
      {"over_limit", [](const FoundLayout& found) { return found.over_limit; }},
      {"simulated_step_s", of_simulation<&FoundLayout::simulated_step_s>},
      {"simulated_cost", of_simulation<&FoundLayout::simulated_cost>},
      {"simulated_energy_J", of_simulation<&FoundLayout::simulated_energy_J>},
  };
  return columns;
}

}  // namespace

std::string search_csv(const std::vector<FoundLayout>& found) {
  std::string text = csv_line(names_of(search_columns()));
  for (const FoundLayout& one : found) text += csv_line(cells_of(search_columns(), one));
  return text;
}

}  // namespace orrery
