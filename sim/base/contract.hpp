// The one macro of the project: a check of our own promises. A failure is a defect of Orrery (exit code 1), never
// the answer to bad input: bad input is reported through sim/base/errors.hpp.
#pragma once

#include <stdexcept>
#include <string>

namespace orrery {

class ContractViolation : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

[[noreturn]] inline void contract_failed(const char* condition, const char* file, int line) {
  throw ContractViolation(std::string(file) + ":" + std::to_string(line) + ": broken promise: " + condition);
}

}  // namespace orrery

#define ORRERY_EXPECT(condition) \
  ((condition) ? static_cast<void>(0) : ::orrery::contract_failed(#condition, __FILE__, __LINE__))
