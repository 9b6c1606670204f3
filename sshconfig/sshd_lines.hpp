// The lines of mayfly in sshd's configuration (sshd_config(5)), and the files that they name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mayfly::sshconfig {

// The files of mayfly beside an sshd_config. Paths are absolute.
struct SshdFiles {
  std::string config;                // sshd_config itself
  std::string directory;             // of sshd_config
  std::string ca;                    // the signer's public keys
  std::string principals_directory;  // one file for each account with principals of its own
  std::string drop_in_directory, drop_in;

  std::string principals_of(std::string_view user) const;
};
// Throws Error(usage) for a path with characters that sshd_config would have to quote.
SshdFiles sshd_files(const std::string& config);

// The principals that may enter as one Unix user.
struct UserPrincipals {
  std::string user;
  std::vector<std::string> names;
};
// Parses the values of --principals, USER=NAME[,NAME...]; those of one user are merged. Throws
// Error(usage) for a name that sshd would read as a pattern, an option or a comment, and for an
// email address, since no certificate of Access names one (docs/protocol.md section 3).
std::vector<UserPrincipals> parse_principals(const std::vector<std::string>& values);

// Returns the lines for sshd_config. They end in Match lines if there are principals.
std::string sshd_lines(const SshdFiles& files, const std::vector<UserPrincipals>& principals);
// The content of a file that mayfly writes beside sshd_config: a line that marks it, and then the
// body. sshd ignores the mark in files of keys and of principals.
std::string with_owner_mark(std::string_view body);
bool has_owner_mark(std::string_view content);

// The functions below edit the text of sshd_config or of a file that it includes. The lines of
// mayfly are between two marks, before the first Match. All throw Error(failed) if a mark is alone.

// Returns the text with these lines, in place of any earlier lines of mayfly.
std::string with_sshd_lines(std::string_view text, std::string_view lines);
// Returns the text as it was before with_sshd_lines(), byte for byte.
std::string without_sshd_lines(std::string_view text);
bool has_sshd_lines(std::string_view text);

// A line of sshd_config as sshd splits it into words.
struct SshdLine {
  std::size_t number, start;       // counted from 1; offset of its first byte
  std::string keyword;             // in lower case; "" for a blank line or a comment
  std::vector<std::string> words;  // behind the keyword
};
std::vector<SshdLine> sshd_config_lines(std::string_view text);
// Returns the patterns of all Include lines before the first Match, as absolute paths: sshd looks
// for others in /etc/ssh.
std::vector<std::string> included_patterns(std::string_view text);
// Returns the offset of the first line before any Match whose Include covers the path, or npos.
std::size_t include_of(std::string_view text, const std::string& path);

}  // namespace mayfly::sshconfig
