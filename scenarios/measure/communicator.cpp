#include "scenarios/measure/communicator.hpp"

#include <mpi.h>

#include <cstdlib>
#include <limits>
#include <numeric>
#include <utility>

#include "sim/base/contract.hpp"
#include "sim/base/errors.hpp"

namespace orrery {
namespace {

int count_of(std::size_t numbers) {
  ORRERY_EXPECT(numbers <= static_cast<std::size_t>(std::numeric_limits<int>::max()));
  return static_cast<int>(numbers);
}

}  // namespace

MpiSession::MpiSession() {
  int provided = 0;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
  ORRERY_EXPECT(provided >= MPI_THREAD_FUNNELED);
}

MpiSession::~MpiSession() {
  MPI_Finalize();
}

void abort_all_ranks(int exit_code) {
  MPI_Abort(MPI_COMM_WORLD, exit_code);
  std::abort();  // MPI_Abort does not return
}

/// Messages of data have a communicator of their own, so that no tag meets one of MPI's own users. Requests keep their
/// places: a ticket is a place.
struct Communicator::Requests {
  MPI_Comm data = MPI_COMM_NULL;
  std::vector<MPI_Request> places;
  std::vector<std::size_t> free;

  std::size_t keep(MPI_Request request) {
    if (free.empty()) {
      places.push_back(request);
      return places.size() - 1;
    }
    const std::size_t place = free.back();
    free.pop_back();
    places[place] = request;
    return place;
  }
};

Communicator::Communicator() : requests_(std::make_unique<Requests>()) {
  MPI_Comm_dup(MPI_COMM_WORLD, &requests_->data);
  MPI_Comm_rank(requests_->data, &rank_);
  MPI_Comm_size(requests_->data, &size_);
  sent_to_.resize(static_cast<std::size_t>(size_));
}

bool Communicator::first_on_machine() const {
  MPI_Comm machine = MPI_COMM_NULL;
  MPI_Comm_split_type(requests_->data, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &machine);
  int place = 0;
  MPI_Comm_rank(machine, &place);
  MPI_Comm_free(&machine);
  return place == 0;
}

Communicator::~Communicator() {
  MPI_Comm_free(&requests_->data);
}

Ticket Communicator::send(std::span<const float> numbers, int to, int tag) {
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Isend(numbers.data(), count_of(numbers.size()), MPI_FLOAT, to, tag, requests_->data, &request);
  sent_to_[static_cast<std::size_t>(to)] += Bytes(static_cast<double>(numbers.size_bytes()));
  return requests_->keep(request);  // NOLINT(clang-analyzer-optin.mpi.MPI-Checker): waited for by its ticket
}

Ticket Communicator::receive(std::span<float> numbers, int from, int tag) {
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Irecv(numbers.data(), count_of(numbers.size()), MPI_FLOAT, from, tag, requests_->data, &request);
  return requests_->keep(request);  // NOLINT(clang-analyzer-optin.mpi.MPI-Checker): likewise
}

bool Communicator::done(Ticket& ticket) {
  if (!ticket) return true;
  int completed = 0;
  MPI_Test(&requests_->places[*ticket], &completed, MPI_STATUS_IGNORE);
  if (completed == 0) return false;
  requests_->free.push_back(*ticket);
  ticket.reset();
  return true;
}

void Communicator::wait(Ticket& ticket) {
  if (!ticket) return;
  MPI_Wait(&requests_->places[*ticket], MPI_STATUS_IGNORE);
  requests_->free.push_back(*ticket);
  ticket.reset();
}

Bytes Communicator::sent() const {
  return std::accumulate(sent_to_.begin(), sent_to_.end(), Bytes());
}

void Communicator::barrier() {
  MPI_Barrier(MPI_COMM_WORLD);
}

std::vector<std::string> Communicator::gather(const std::string& text) {
  const int length = count_of(text.size());
  std::vector<int> lengths(static_cast<std::size_t>(size_)), places(lengths);
  MPI_Gather(&length, 1, MPI_INT, lengths.data(), 1, MPI_INT, 0, MPI_COMM_WORLD);
  std::size_t total = 0;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    places[i] = count_of(total);
    total += static_cast<std::size_t>(lengths[i]);
  }
  std::string joined(rank_ == 0 ? total : 0, '\0');
  MPI_Gatherv(text.data(), length, MPI_CHAR, joined.data(), lengths.data(), places.data(), MPI_CHAR, 0, MPI_COMM_WORLD);
  std::vector<std::string> texts;
  for (std::size_t i = 0; rank_ == 0 && i < lengths.size(); ++i) {
    texts.push_back(joined.substr(static_cast<std::size_t>(places[i]), static_cast<std::size_t>(lengths[i])));
  }
  return texts;
}

std::string Communicator::broadcast(std::string text, int root) {
  int length = count_of(text.size());
  MPI_Bcast(&length, 1, MPI_INT, root, MPI_COMM_WORLD);
  text.resize(static_cast<std::size_t>(length));
  MPI_Bcast(text.data(), length, MPI_CHAR, root, MPI_COMM_WORLD);
  return text;
}

void on_all_ranks(Communicator& communicator, const std::function<void()>& work) {
  // Kind as a digit, then the text; nothing when all went well.
  const auto failure = [](RankError::Kind kind, const std::string& what) {
    return std::to_string(static_cast<int>(kind)) + what;
  };
  std::string own;
  try {
    work();
  } catch (const Infeasible& error) {
    own = failure(RankError::Kind::infeasible, error.what());
  } catch (const UsageError& error) {
    own = failure(RankError::Kind::usage, error.what());
  } catch (const InvalidInput& error) {
    own = failure(RankError::Kind::invalid_input, error.what());
  } catch (const std::exception& error) {
    own = failure(RankError::Kind::other, error.what());
  }
  const std::vector<std::string> all = communicator.gather(own);
  std::string first;
  for (std::size_t rank = 0; rank < all.size() && first.empty(); ++rank) {
    if (all[rank].empty()) continue;
    const std::string where = rank == 0 ? std::string{} : "rank " + std::to_string(rank) + ": ";
    first = all[rank].substr(0, 1) + where + all[rank].substr(1);
  }
  first = communicator.broadcast(first);
  if (first.empty()) return;
  const auto kind = static_cast<RankError::Kind>(first.front() - '0');
  if (kind == RankError::Kind::infeasible) throw Infeasible(first.substr(1));
  throw RankError(kind, first.substr(1));
}

}  // namespace orrery
