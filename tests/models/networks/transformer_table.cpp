// The table of transformers: what is wrong with a row.
#include "models/networks/transformer_table.hpp"

#include "tests/catch.hpp"

namespace orrery {
namespace {

const std::string header =
    "id,title,style,layers,hidden,heads,kv_heads,head_size,ffn,vocabulary,tokens,tied,dropout,experts,experts_per_"
    "token,"
    "expert_ffn,shared_experts,expert_groups,groups_per_token,dense_layers,query_rank,kv_rank,rope_size,nope_size,"
    "value_size,patch,source\n";

TEST_CASE("A row is a style and its dimensions") {
  Problems problems;
  const auto rows =
      parse_transformers(header + "a,A,llama,2,64,4,2,,96,100,16,yes,0.1,,,,,,,,,,,,,,somewhere\n", "t.csv", problems);
  REQUIRE(problems.empty());
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].shape.name == "a");
  CHECK(rows[0].shape.feedforward == Feedforward::swiglu);
  CHECK(rows[0].shape.kv_heads == 2);
  CHECK(rows[0].shape.tied);
  CHECK(rows[0].shape.dropout == 0.1);
  CHECK(graph_of(rows[0]).source == "somewhere");
}

TEST_CASE("Mistakes in rows are told together") {
  Problems problems;
  parse_transformers(header + "a,A,lama,2,64.5,4,-1,,96,100,16,maybe,1.5,,,,,,,,,,,,,,\n" +
                         "a,A,llama,2,64,4,2,,96,100,16,,,,,,,,,,,,,,,,somewhere\n",
                     "t.csv", problems);
  std::string text;
  for (const Problem& problem : problems.all()) text += problem.key + ": " + problem.what + "\n";
  CHECK(text ==
        "style: unknown style \"lama\"\nsource: cell is empty\nhidden: 64.5 is no dimension\nkv_heads: -1 is no "
        "dimension\n"
        "dropout: must be at least 0 and below 1\ntied: \"maybe\" is neither yes nor no\nid: \"a\" is given twice\n");
}

}  // namespace
}  // namespace orrery
