#include "access/io/descriptor_states.hpp"

#include <fcntl.h>

#include <asio/posix/stream_descriptor.hpp>
#include <vector>

namespace mayfly {
namespace {

constexpr std::size_t block = 128;

}  // namespace

DescriptorStates::DescriptorStates() : file_(::open("/dev/null", O_RDONLY | O_CLOEXEC)) {}

void DescriptorStates::reserve(const asio::any_io_executor& executor, std::size_t descriptors,
                               std::size_t used) {
  if (!file_) return;
  if (reserved_ >= descriptors) return;
  reserved_ = descriptors + block;
  // epoll takes no file that is always ready (EPERM), so the same one can be watched many times.
  std::vector<asio::posix::stream_descriptor> watched;
  watched.reserve(reserved_ - used);
  while (watched.size() < reserved_ - used) watched.emplace_back(executor, file_.get());
  for (auto& one : watched) one.release();
}

}  // namespace mayfly
