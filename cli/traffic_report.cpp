#include "cli/traffic_report.hpp"

#include "access/core/report_signal.hpp"
#include "cli/message.hpp"
#include "cli/traffic_lines.hpp"

namespace mayfly::cli {

void report_traffic_on_signal(TunnelOptions& options) {
  catch_report_signal();
  options.report = [](const std::vector<TunnelReport>& reports) {
    print_notice(traffic_lines(reports));
  };
}

}  // namespace mayfly::cli
