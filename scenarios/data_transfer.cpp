#include "scenarios/data_transfer.hpp"

#include <stdexcept>

namespace orrery {

FederationDescription describe_federation(const FederationSpec& federation) {
  FederationDescription description;
  for (const ClientGroup& group : federation.groups) {
    description.client_devices.insert(description.client_devices.end(), static_cast<std::size_t>(group.count),
                                      group.device);
    description.client_links.insert(description.client_links.end(), static_cast<std::size_t>(group.count), group.link);
  }
  description.server = federation.server;
  description.server_link = federation.server_link;
  return description;
}

std::vector<Device> devices_of(const FederationDescription& description) {
  std::vector<Device> devices = description.client_devices;
  devices.push_back(description.server);
  return devices;
}

DataTransfer transfer_data(const Scenario& scenario, EngineKind engine) {
  const FederationDescription description = describe_federation(scenario.federation);
  const FederationPlatform federation = build_federation(description);
  const auto kernel = make_kernel(engine, federation.platform);
  const auto clients = static_cast<std::size_t>(scenario.federation.clients());
  const Bytes total(scenario.workload.stored_bytes_per_sample * static_cast<double>(scenario.workload.dataset_samples));
  const Bytes part = total / static_cast<double>(clients);

  DataTransfer transfer;
  std::vector<Activity>& sends = transfer.records.activities;
  sends.resize(clients);
  for (std::size_t client = 0; client < clients; ++client) {
    Activity& send = sends[client];
    send.rank = RankId(client);
    send.stream = Stream::send;
    send.phase = Phase::transfer;
    send.bytes = part;
    send.peer = RankId(clients);
    kernel->flow(DeviceId(client), federation.server, part, [&kernel, &send](Outcome outcome) {
      if (outcome == Outcome::failed) throw std::runtime_error("moving the training data to the cluster failed");
      send.end = kernel->now();
    });
  }
  kernel->run();
  transfer.time = kernel->now();
  transfer.bytes = total;
  transfer.records.makespan = transfer.time;
  transfer.records.ranks = clients + 1;
  transfer.records.links = kernel->link_use();
  transfer.records.messages = kernel->flows_started();
  transfer.platform = federation.platform;
  transfer.link_power = federation.link_power;
  transfer.devices = devices_of(description);
  return transfer;
}

}  // namespace orrery
