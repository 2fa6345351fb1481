/*
 * kind_create.h - the profile "threadcreate": which stacks made how many threads.
 */
#ifndef EP_INPROC_KIND_CREATE_H
#define EP_INPROC_KIND_CREATE_H

/* -ENOMEM.  Under the drain lock. */
int ep_kind_create_start(void);

/* A thread was made by who will return to this address.  Any thread; takes no lock. */
void ep_kind_create_note(const void *return_address);

#endif
