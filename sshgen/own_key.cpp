#include "sshgen/own_key.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/system/descriptor.hpp"
#include "sshgen/public_key.hpp"

namespace mayfly::sshgen {
namespace {

constexpr std::size_t largest_file = 96 << 10;
// The beginning of every private key file that ssh reads.
constexpr std::string_view private_begin = "-----BEGIN ";
constexpr std::string_view certificate_mark = "-cert-v01@";

Error no_public_key(const std::string& path, std::string_view why) {
  return Error(ErrorKind::usage, fmt::format("--public-key: {} {}", printable(path, 4096), why),
               "name the file of a public key, such as ~/.ssh/id_ed25519.pub; ssh-keygen -y prints "
               "that of a private key, ssh-add -L those in the agent");
}

Descriptor open_regular(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) throw system_error("cannot read the public key " + printable(path, 4096), errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode))
    throw no_public_key(path, "is no regular file");
  return file;
}

// A private key is refused before any of it has been read.
void refuse_private_key(const Descriptor& file, const std::string& path) {
  std::array<char, private_begin.size()> begin{};
  const auto size = ::pread(file.get(), begin.data(), begin.size(), 0);
  if (size == static_cast<ssize_t>(begin.size()) &&
      std::string_view(begin.data(), begin.size()) == private_begin)
    throw no_public_key(path, "is a private key, which mayfly does not read");
}

std::string content_of(const Descriptor& file, const std::string& path) {
  std::string content(largest_file + 1, '\0');
  const auto size = read_all(file.get(), content);
  if (size < 0) throw system_error("cannot read the public key " + printable(path, 4096), errno);
  content.resize(static_cast<std::size_t>(size));
  if (content.size() > largest_file) throw no_public_key(path, "is too large for a public key");
  while (content.ends_with('\n') || content.ends_with('\r')) content.pop_back();
  return content;
}

OnDisk look(const StateDirectory& state, const KeyFiles& names, std::chrono::sys_seconds now) {
  const auto line = read_key_file(state, names.own_certificate);
  if (!line) return {};
  auto certificate = parse_certificate(line->reveal());
  const auto copy = read_key_file(state, names.own_public_key);
  if (!certificate || !copy || public_blob_of_line(copy->reveal()) != certificate->certified_key)
    return {OnDisk::State::mismatched, std::nullopt};
  const auto verdict = certificate->usable_at(now) ? OnDisk::State::valid : OnDisk::State::ended;
  return {verdict, std::move(certificate)};
}

}  // namespace

OwnKey read_own_key(const std::string& path) {
  const Descriptor file = open_regular(path);
  refuse_private_key(file, path);
  auto blob = public_blob_of_line(content_of(file, path));
  std::string type(blob ? WireReader(*blob).string() : "");
  if (type.find(certificate_mark) != std::string::npos)
    throw no_public_key(path, "is a certificate");
  if (!blob || !is_key_blob(*blob)) throw no_public_key(path, "is no public key");
  std::string line = line_of_blob(*blob);
  return {std::move(type), *std::move(blob), std::move(line)};
}

std::string identity_file_of(const std::string& public_key_path) {
  constexpr std::string_view suffix = ".pub";
  if (!public_key_path.ends_with(suffix)) return public_key_path;
  return public_key_path.substr(0, public_key_path.size() - suffix.size());
}

OnDisk look_at_own(const StateDirectory& state, const KeyFiles& names, const OwnKey& key,
                   std::chrono::sys_seconds now) {
  OnDisk found = look(state, names, now);
  if (found.certificate && found.certificate->certified_key != key.blob)
    return {OnDisk::State::mismatched, std::nullopt};
  return found;
}

OnDisk look_at_own(const StateDirectory& state, const KeyFiles& names,
                   std::chrono::sys_seconds now) {
  return look(state, names, now);
}

void write_own(const StateDirectory& state, const Url& url, const OwnKey& key, const Signed& made) {
  const KeyFiles names = key_files(url);
  state.replace_set({{names.own_public_key, key.line}, {names.own_certificate, made.line}});
}

}  // namespace mayfly::sshgen
