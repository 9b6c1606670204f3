#include "access/tunnel/open_connection.hpp"

#include "access/system/report_signal.hpp"

namespace mayfly {

ReportWatch::ReportWatch(const asio::any_io_executor& executor, Open open, TellTraffic tell)
    : open_(std::move(open)), tell_(std::move(tell)), timer_(executor) {
  if (report_descriptor() < 0 || !tell_) return;
  descriptor_.emplace(executor, report_descriptor());
  wait();
}

void ReportWatch::wait() {
  descriptor_->wait(WatchedDescriptor::For::wait_read, [this](const auto& error) {
    if (!error) begin();
  });
}

void ReportWatch::begin() {
  take_report_request();
  for (const auto& connection : open_()) {
    const auto traffic = connection->traffic();
    if (!traffic) continue;
    seen_.push_back({connection, *traffic});
    connection->probe();
  }
  // An empty report is given at once, since during a dial this object may not live for report_time.
  if (seen_.empty()) return finish();
  timer_.expires_after(report_time);
  timer_.async_wait([this](const auto& error) {
    if (!error) finish();
  });
}

void ReportWatch::finish() {
  std::vector<TunnelReport> reports;
  for (const Seen& before : seen_) {
    const auto connection = before.connection.lock();
    const auto traffic = connection ? connection->traffic() : std::nullopt;
    if (traffic) reports.push_back(report_between(connection->name(), before.traffic, *traffic));
  }
  seen_.clear();
  tell_(reports);
  wait();  // a signal that came meanwhile is answered next
}

}  // namespace mayfly
