// What the programs do on SIGINT, SIGTERM and SIGHUP.
#pragma once

namespace orrery {

/// From now on a signal removes half-written files and empty folders of results before it ends the process.
void clean_up_on_signals();

}  // namespace orrery
