#include "sshgen/on_disk.hpp"

#include "access/core/error.hpp"
#include "access/identity/place.hpp"

namespace mayfly::sshgen {
namespace {

constexpr std::size_t largest_file = 96 << 10;  // enough for a certificate of 64 KiB in base64

std::optional<std::string> blob_of(const std::optional<Secret>& file,
                                   std::optional<std::string> (*read_blob)(std::string_view)) {
  return file ? read_blob(file->reveal()) : std::nullopt;
}

}  // namespace

std::optional<Secret> read_key_file(const StateDirectory& state, const std::string& name) {
  try {
    auto file = state.read(name, largest_file);
    if (!file) return std::nullopt;
    return Secret(std::move(file->content));
  } catch (const Error&) {
    return Secret();
  }
}

KeyFiles key_files(const Url& url) {
  return key_files_at(key_place_of(url));
}

KeyFiles key_files_at(std::string_view place) {
  return {
      state_name(StateFile::private_key, place),    state_name(StateFile::public_key, place),
      state_name(StateFile::certificate, place),    state_name(StateFile::agent_certificate, place),
      state_name(StateFile::own_public_key, place), state_name(StateFile::own_certificate, place)};
}

std::string key_file_name(const Url& url) {
  return key_files(url).key;
}

OnDisk look_on_disk(const StateDirectory& state, const Url& url, std::chrono::sys_seconds now) {
  return look_on_disk(state, key_files(url), now);
}

OnDisk look_on_disk(const StateDirectory& state, const KeyFiles& names,
                    std::chrono::sys_seconds now) {
  const auto line = read_key_file(state, names.certificate);
  if (!line) return {};
  auto certificate = parse_certificate(line->reveal());
  if (!certificate ||
      blob_of(read_key_file(state, names.public_key), public_blob_of_line) !=
          certificate->certified_key ||
      blob_of(read_key_file(state, names.key), public_blob_of_private_file) !=
          certificate->certified_key)
    return {OnDisk::State::mismatched, std::nullopt};
  const auto verdict = certificate->usable_at(now) ? OnDisk::State::valid : OnDisk::State::ended;
  return {verdict, std::move(certificate)};
}

std::optional<Certificate> valid_on_disk(const StateDirectory& state, const Url& url,
                                         std::chrono::sys_seconds now) {
  auto found = look_on_disk(state, url, now);
  return found.state == OnDisk::State::valid ? std::move(found.certificate) : std::nullopt;
}

void write_to_disk(const StateDirectory& state, const Url& url, const KeyPair& pair,
                   const Signed& made) {
  const auto names = key_files(url);
  std::vector<StateDirectory::NamedContent> files{
      {names.key, std::string(pair.private_file.reveal())},
      {names.public_key, pair.public_line()},
      {names.certificate, made.line}};
  struct Wipe {
    std::string& content;
    ~Wipe() { wipe(content); }
  } const wiped{files.front().content};
  state.replace_set(files);
}

void write_agent_certificate(const StateDirectory& state, const Url& url,
                             const Certificate& certificate) {
  const auto name = key_files(url).agent_certificate;
  const auto line = line_of_blob(certificate.blob);
  const auto present = read_key_file(state, name);
  if (!present || present->reveal() != line) state.write(name, line);
}

bool remove_from_disk(const StateDirectory& state, const Url& url) {
  return remove_from_disk(state, key_files(url));
}

bool remove_from_disk(const StateDirectory& state, const KeyFiles& names) {
  // The certificate goes first: ssh does not use the files that a killed removal leaves.
  bool removed = state.remove(names.certificate);
  removed |= state.remove(names.public_key);
  removed |= state.remove(names.key);
  removed |= state.remove(names.agent_certificate);
  removed |= state.remove(names.own_certificate);
  removed |= state.remove(names.own_public_key);
  return removed;
}

}  // namespace mayfly::sshgen
