#include <algorithm>
#include <filesystem>

#include "access/core/state_names.hpp"
#include "cli/doctor/ssh_findings.hpp"
#include "sshconfig/shell_words.hpp"

namespace mayfly::cli::doctor {
namespace {

using sshconfig::SshAnswer;
using sshconfig::SshSettings;
using Words = std::vector<std::string>;

// ssh_config(5), TOKENS: those that our blocks use, and their like.
std::string expanded(std::string_view text, const SshPlaces& places, const SshSettings& settings) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%' || i + 1 == text.size()) {
      result += text[i];
      continue;
    }
    switch (text[++i]) {
      case '%':
        result += '%';
        break;
      case 'h':
        result += settings.host_name;
        break;
      case 'n':
        result += places.typed;
        break;
      case 'd':
        result += places.home;
        break;
      default:
        result += text.substr(i - 1, 2);
    }
  }
  return result;
}

std::string file_path(std::string_view text, const SshPlaces& places, const SshSettings& settings) {
  std::string path = expanded(text, places, settings);
  if (path.starts_with("~/")) path.replace(0, 1, places.home);
  return std::filesystem::path(path).lexically_normal().string();
}

// The value of the flag that names the application, in its forms.
std::optional<std::string> hostname_flag(const Words& words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    for (const std::string_view flag :
         {"--hostname", "-hostname", "--tunnel-host", "-tunnel-host", "-T"}) {
      if (words[i] == flag && i + 1 < words.size()) return words[i + 1];
      if (words[i].starts_with(std::string(flag) + "=")) return words[i].substr(flag.size() + 1);
    }
  }
  return std::nullopt;
}

void take_command(SshWay& way, const SshPlaces& places, const SshSettings& settings) {
  const Words words = sshconfig::shell_words(settings.proxy_command);
  way.program = expanded(sshconfig::program_of(words), places, settings);
  if (const auto host = hostname_flag(words)) way.leads_to = expanded(*host, places, settings);
}

void take_files(SshWay& way, const SshPlaces& places, const SshSettings& settings) {
  const sshgen::KeyFiles names = sshgen::key_files(places.url);
  const std::filesystem::path directory(places.state_directory);
  const auto kept = [&](const std::string& name) {
    return (directory / name).lexically_normal().string();
  };
  for (const std::string& file : settings.identity_files)
    way.reads_key |= file_path(file, places, settings) == kept(names.key);
  for (const std::string& file : settings.certificate_files) {
    const std::string path = file_path(file, places, settings);
    way.reads_certificate |= path == kept(names.certificate);
    if (path != kept(names.certificate) && path.ends_with(suffix_of(StateFile::certificate)))
      way.other_certificate = path;
  }
}

bool asks_for_agent(const std::string& command) {
  const Words words = sshconfig::shell_words(command);
  return std::find(words.begin(), words.end(), "--agent") != words.end();
}

}  // namespace

SshWay ssh_way(const SshPlaces& places, const SshAnswer& answer) {
  SshWay way;
  if (!answer.settings) return way;
  take_command(way, places, *answer.settings);
  take_files(way, places, *answer.settings);
  way.renews = !answer.ssh_gens.empty();
  const bool in_agent = std::any_of(answer.ssh_gens.begin(), answer.ssh_gens.end(), asks_for_agent);
  if (in_agent)
    way.certificate = SshWay::Certificate::agent;
  else if (way.renews || way.reads_certificate)
    way.certificate = SshWay::Certificate::disk;
  return way;
}

}  // namespace mayfly::cli::doctor
