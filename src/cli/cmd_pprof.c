/* cmd_pprof.c - `everprof pprof`: the work is in the room of its name. */
#include "cli/commands.h"
#include "pprof/driver.h"

int ep_cmd_pprof(int argc, char **argv)
{
	return ep_driver_run(argc, argv);
}
