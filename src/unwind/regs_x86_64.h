/*
 * regs_x86_64.h - what the step needs to know of x86-64.
 *
 * Source: System V ABI, AMD64 supplement, figure 3.36 (DWARF numbers); struct
 * sigcontext of the kernel.
 */
#ifndef EP_UNWIND_REGS_X86_64_H
#define EP_UNWIND_REGS_X86_64_H

#include <stdint.h>

#define EP_REGS_MACHINE 62 /* EM_X86_64 */

/* DWARF register numbers. */
#define EP_REGS_DW_BP 6
#define EP_REGS_DW_SP 7
#define EP_REGS_DW_RA 16

/* The return address lies here from the CFA, which is the caller's sp. */
#define EP_REGS_RA_OFF (-8)

/* In the frame the kernel makes for a signal, from where the saved sp lies. */
#define EP_REGS_SIGNAL_BP_OFF (-40)
#define EP_REGS_SIGNAL_IP_OFF 8
/* From the signal frame's sp to the saved sp (struct ucontext, then gregs). */
#define EP_REGS_SIGNAL_SP_OFF 160

/* User addresses end here (four-level page tables; five-level ones are opt-in). */
#define EP_REGS_MAX_IP 0x7fffffffffffull

/* The instruction that enters the kernel: syscall, as it lies in memory. */
#define EP_REGS_CALL_BYTES 2
#define EP_REGS_CALL_MASK 0xffffull
#define EP_REGS_CALL 0x050full

/* The instruction that enters the kernel: syscall, as it lies in memory. */
#define EP_REGS_CALL_BYTES 2
#define EP_REGS_CALL_MASK 0xffffull
#define EP_REGS_CALL 0x050full

struct ep_regs {
	uint64_t ip, sp, bp;
};

/* From the ucontext_t of a signal handler; needs <ucontext.h>. */
#define EP_REGS_OF_UCONTEXT(uc)                                                        \
	((struct ep_regs){(uint64_t)(uc)->uc_mcontext.gregs[REG_RIP],                  \
			  (uint64_t)(uc)->uc_mcontext.gregs[REG_RSP],                  \
			  (uint64_t)(uc)->uc_mcontext.gregs[REG_RBP]})

/* The registers right here, as the caller of this macro sees them.  The ip is
 * inside the function, so it counts as an exact address. */
#define EP_REGS_HERE(r)                                                                \
	__asm__ volatile("leaq 0(%%rip), %0\n\tmovq %%rsp, %1\n\tmovq %%rbp, %2"       \
			 : "=r"((r)->ip), "=r"((r)->sp), "=r"((r)->bp)                 \
			 :                                                             \
			 : "memory")

#endif
