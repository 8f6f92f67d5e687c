#include "scenarios/planned_way.hpp"

#include <cmath>

namespace orrery {

void fill_from_plan(const Scenario& scenario, const Cluster& cluster, const Plan& plan, Way& way) {
  way.degrees = plan.degrees;
  way.microbatches = plan.microbatches;
  way.samples_per_step = plan.samples;
  way.model_flops = plan.model_flops;
  way.notes = plan.notes;
  way.placement = plan.placement;
  way.layout = plan.layout;
  way.platform = plan.platform ? plan.platform->platform : cluster.platform;
  way.link_power = plan.platform ? plan.platform->link_power : cluster.link_power;
  if (plan.platform) {
    way.copies = plan.platform->copies;
    way.link_copies = plan.platform->link_copies;
    way.nodes = plan.platform->nodes;
  }
  way.devices.clear();
  for (const PlatformHost& host : way.platform.hosts) {
    way.devices.push_back(cluster.description.group(cluster.description.group_of_node(host.node)).device);
  }
  way.steps = std::ceil(static_cast<double>(scenario.workload.steps) / plan.optimizer_steps);
}

void widen_links(const Plan& plan, Way& way) {
  if (!plan.platform || plan.platform->link_rates.empty()) return;
  for (std::size_t i = 0; i < way.platform.links.size(); ++i) {
    way.platform.links[i].bandwidth = plan.platform->link_rates[i];
  }
  for (LinkUse& use : way.records.links) use.bytes *= plan.platform->link_bytes[use.link.index()];
}

}  // namespace orrery
