// Errors for people. Bad input becomes a Problem with a position; all problems of a file are collected and thrown
// together as InvalidInput. The grammar of a line:
//   file:line:column: key: problem (why) - suggestion
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace orrery {

struct Position {
  std::string file;  // as the user named it; "--set" for a command-line override
  int line = 0;      // 1-based; 0 when unknown (line and column are then left out of the text)
  int column = 0;
};

struct Problem {
  Position at;
  std::string key;          // dotted path, for example strategy[1].microbatches; may be empty
  std::string what;         // the problem
  std::string why;          // why it is one; may be empty
  std::string suggestion;   // what to do; may be empty
  std::string source_line;  // the offending line, shown with a caret under the column; may be empty
};

/// `file:line:column: key: what (why) - suggestion`, then the source line and a caret when known.
std::string to_text(const Problem& problem);

/// Bad input: exit code 3. what() is the text of all problems, one after the other, in file order.
class InvalidInput : public std::runtime_error {
 public:
  explicit InvalidInput(std::vector<Problem> problems);
  [[nodiscard]] const std::vector<Problem>& problems() const { return problems_; }

 private:
  std::vector<Problem> problems_;
};

/// Wrong command line: exit code 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A way of training that cannot be (does not fit, cannot be split so): a row with fits = false or status infeasible.
class Infeasible : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Collects the problems of one input so that the user sees all of them at once.
class Problems {
 public:
  void add(Problem problem) { problems_.push_back(std::move(problem)); }
  [[nodiscard]] bool empty() const { return problems_.empty(); }
  [[nodiscard]] const std::vector<Problem>& all() const { return problems_; }
  /// Throws InvalidInput with every problem, ordered by file, line and column; does nothing when there is none.
  void throw_if_any() const;

 private:
  std::vector<Problem> problems_;
};

}  // namespace orrery
