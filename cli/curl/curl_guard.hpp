// Keeps tokens out of what curl writes: refuses the options whose output cannot be cleaned, and
// leads the output of others through mayfly.
#pragma once

#include <string>
#include <vector>

#include "access/system/descriptor.hpp"
#include "cli/curl/curl_arguments.hpp"

namespace mayfly::cli {

// An output of curl that mayfly cleans before it is written.
struct CleanedOutput {
  enum class As { text, cookie_jar } as = As::text;
  std::string path = {};                  // where the cleaned bytes go; or
  int stream = -1;                        // STDOUT_FILENO or STDERR_FILENO
  Descriptor reading = {}, writing = {};  // the pipe that curl writes to
};

// curl's command line, as it may be run.
struct GuardedCurl {
  std::vector<std::string> words;                  // one for each of CurlArguments::arguments
  std::vector<std::string> default_configuration;  // --config and a file, or nothing
  std::vector<Descriptor> files;                   // that the words name, for curl to inherit
  std::vector<CleanedOutput> outputs;
  bool has_output_file = false;  // --output and its kind
};

// Returns the command line with each configuration and each --write-out @FILE replaced by the
// content that was judged here, and each --dump-header and --cookie-jar replaced by a pipe. The
// default configuration is read here, unless curl.arguments leave it out: curl must not read it
// again. Throws usage Error, which names the option, for --trace, --trace-ascii, --libcurl, options
// that are unknown here, and combinations that write headers into a file.
GuardedCurl guard_curl(const CurlArguments& curl);

}  // namespace mayfly::cli
