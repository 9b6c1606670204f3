#include "cli/tunnel/traffic_report.hpp"

#include "access/system/report_signal.hpp"
#include "cli/terminal/message.hpp"
#include "cli/tunnel/traffic_lines.hpp"

namespace mayfly::cli {

void report_traffic_on_signal(TunnelOptions& options) {
  catch_report_signal();
  options.report = [](const std::vector<TunnelReport>& reports) {
    print_notice(traffic_lines(reports));
  };
}

}  // namespace mayfly::cli
