#include "cli/flags/service_token_source.hpp"

#include <fmt/core.h>
#include <sys/stat.h>

#include "access/core/error.hpp"
#include "access/core/log.hpp"
#include "cli/flags/secret_text.hpp"

namespace mayfly::cli {
namespace {

bool is_same(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

}  // namespace

bool ServiceTokenSource::Version::operator==(const Version& other) const noexcept {
  return device == other.device && inode == other.inode && size == other.size &&
         is_same(modified, other.modified) && is_same(changed, other.changed);
}

std::optional<ServiceTokenSource::Version> ServiceTokenSource::version_of(const std::string& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return Version{status.st_dev, status.st_ino, status.st_size, status.st_mtim, status.st_ctim};
}

std::optional<ServiceTokenSource> ServiceTokenSource::of(const IdentityFlags& flags) {
  // Before the file is read, so that a change meanwhile is seen by the next look.
  const auto version = version_of(flags.service_token_secret_file);
  auto token = service_token_of(flags);
  if (!token) return std::nullopt;
  ServiceTokenSource source(*std::move(token));
  if (!version) return source;
  source.file_ = flags.service_token_secret_file;
  source.version_ = version;
  return source;
}

const ServiceToken& ServiceTokenSource::current() {
  if (file_.empty() || version_of(file_) == version_) return token_;
  return read_again();
}

// A file that cannot be read now, since it is being replaced, leaves the secret as it is.
const ServiceToken& ServiceTokenSource::read_again() {
  const auto version = file_.empty() ? std::nullopt : version_of(file_);
  if (!version) return token_;
  try {
    const Secret text = read_secret_file(file_);
    Secret secret(service_token_text(text.reveal(), service_token_secret_field));
    if (!(secret == token_.secret))
      log(LogLevel::info, "the service token's secret was read again", {{"file", file_}});
    token_.secret = std::move(secret);
    version_ = version;
  } catch (const Error& error) {
    log(LogLevel::warn,
        Error(error.kind(),
              fmt::format("the service token's secret was not read again: {}", error.message()),
              error.hint()));
  }
  return token_;
}

}  // namespace mayfly::cli
