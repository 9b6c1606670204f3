#include "cli/tunnel/pid_file.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <string_view>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/system/descriptor.hpp"
#include "access/system/temporary_file.hpp"
#include "cli/terminal/environment.hpp"

namespace mayfly::cli {

PidFile::PidFile(const std::string& path) {
  if (path.empty()) return;
  path_ = absolute_path(path);
  text_ = fmt::format("{}\n", ::getpid());
  const std::filesystem::path file = path_;
  const std::string folder = file.parent_path().string();
  const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) throw system_error(fmt::format("cannot write {}", printable(path)), errno);
  TemporaryFile temporary(directory.get(), folder);
  temporary.write(text_, TemporaryFile::Sync::not_needed);
  temporary.rename_over(file.filename().string());
}

PidFile::~PidFile() {
  if (path_.empty()) return;
  const Descriptor file(::open(path_.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  std::array<char, 32> room{};
  const auto count = file ? read_all(file.get(), room) : -1;
  if (count > 0 && std::string_view(room.data(), static_cast<std::size_t>(count)) == text_)
    ::unlink(path_.c_str());
}

}  // namespace mayfly::cli
