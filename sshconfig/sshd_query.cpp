#include "sshconfig/sshd_query.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/system/child_output.hpp"

namespace mayfly::sshconfig {
namespace {

constexpr std::chrono::seconds patience{20};

ChildOutput run_sshd(const Sshd& sshd, const std::vector<std::string>& flags) {
  if (sshd.program.empty())
    throw Error(ErrorKind::failed, "there is no sshd on this machine",
                "install it, such as by: apt install openssh-server");
  std::vector<std::string> words{sshd.program};
  words.insert(words.end(), flags.begin(), flags.end());
  words.insert(words.end(), {"-f", sshd.config});
  return run_child({.words = words, .variables = {}, .patience = patience});
}

bool has_succeeded(const ChildOutput& output) {
  return output.how == ChildOutput::How::exited && output.exit_code == 0;
}

std::string complaint_in(const ChildOutput& output) {
  if (output.how == ChildOutput::How::timed_out) return "sshd did not end";
  for (const std::string_view line : split(output.err, '\n'))
    if (!trim(line, " \t\r").empty()) return printable(trim(line, " \t\r"), 300);
  return "sshd failed without a word";
}

}  // namespace

std::string SshdSettings::value(std::string_view keyword) const {
  const auto& all = values(keyword);
  return all.empty() || all.front() == "none" ? "" : all.front();
}

const std::vector<std::string>& SshdSettings::values(std::string_view keyword) const {
  static const std::vector<std::string> none;
  const auto found = settings_.find(keyword);
  return found == settings_.end() ? none : found->second;
}

void SshdSettings::add(std::string_view keyword, std::string_view value) {
  settings_[to_lower(keyword)].emplace_back(value);
}

SshdSettings parse_sshd_settings(std::string_view text) {
  SshdSettings settings;
  for (const std::string_view line : split(text, '\n')) {
    const auto blank = line.find(' ');
    if (blank != std::string_view::npos)
      settings.add(line.substr(0, blank), trim(line.substr(blank + 1), " \t\r"));
  }
  return settings;
}

std::string find_sshd(std::string_view path) {
  const std::string folders =
      fmt::format("{}:/usr/sbin:/usr/local/sbin:/sbin:/usr/bin:/usr/local/bin", path);
  for (const std::string_view folder : split(folders, ':')) {
    std::string program = fmt::format("{}/sshd", folder);
    if (folder.starts_with('/') && ::access(program.c_str(), X_OK) == 0) return program;
  }
  return "";
}

std::string sshd_version(const Sshd& sshd) {
  // An sshd older than 9.3 knows no -V, and answers with its version and a usage message.
  const ChildOutput output = run_sshd(sshd, {"-V"});
  for (const std::string_view line : split(output.err, '\n'))
    if (line.starts_with("OpenSSH_"))
      return printable(line.substr(0, line.find_first_of(" ,")), 60);
  return "";
}

std::string sshd_complaint(const Sshd& sshd) {
  const ChildOutput output = run_sshd(sshd, {"-t"});
  return has_succeeded(output) ? "" : complaint_in(output);
}

SshdSettings ask_sshd(const Sshd& sshd, const std::string& user) {
  // A comma would begin another fact of the connection.
  if (user.find_first_of(",= \t\r\n") != std::string::npos)
    throw Error(ErrorKind::usage, fmt::format("{} is not a user name", printable(user)));
  std::vector<std::string> flags{"-T"};
  if (!user.empty())
    flags.insert(
        flags.end(),
        {"-C", fmt::format("user={},host=localhost,addr=127.0.0.1,laddr=127.0.0.1", user)});
  const ChildOutput output = run_sshd(sshd, flags);
  if (!has_succeeded(output))
    throw Error(ErrorKind::failed,
                fmt::format("sshd does not accept {}: {}", printable(sshd.config, 4096),
                            complaint_in(output)),
                "mend that first; sshd -t tells whether sshd accepts it");
  return parse_sshd_settings(output.out);
}

}  // namespace mayfly::sshconfig
