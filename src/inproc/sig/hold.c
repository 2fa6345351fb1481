/* hold.c - see hold.h. */
#include "inproc/sig/hold.h"

#include "safe/sys.h"

#include <linux/futex.h>

void ep_hold_ask_for_look(void)
{
	uint32_t sleep = EP_SIG_SLEEP;
	if (atomic_compare_exchange_strong(&ep_sig_wake, &sleep, EP_SIG_LOOK))
		(void)ep_sys6(SYS_futex, (long)&ep_sig_wake, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
}
