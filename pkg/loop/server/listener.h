/* SPDX-License-Identifier: Apache-2.0 */
/* Internal: a listening socket with the connections it accepted, and a tick while needed. */
#pragma once

#include <sys/socket.h>

#include "base/buf.h"
#include "loop/core.h"

/* Returns a listening descriptor. `address`: numeric; `port` 0: any. -EADDRINUSE, -EACCES; -EINVAL: not an address. */
HF_MUST_USE int hf_listener_open(const char *address, uint16_t port, int backlog, uint16_t *ret_port,
                                 struct hf_err *err);

struct hf_listener {
    struct hf_loop *loop;
    uint64_t tick_ns;
    /* Takes over `fd`. */
    void (*accepted)(void *arg, int fd, const struct sockaddr_storage *from);
    void (*tick)(void *arg);
    void *arg;
    /* ---- own ---- */
    int fd;
    uint16_t port;
    struct hf_loop_fd *watch;
    struct hf_timer *timer;
    struct hf_list connections;
    unsigned n;
};

/* First fill the fields above `own`. Call hf_listener_done() even after an error. */
HF_MUST_USE int hf_listener_init(struct hf_listener *listener, const char *address, uint16_t port, struct hf_err *err);
/* Drop all connections first. */
void hf_listener_done(struct hf_listener *listener);

struct hf_accepted {
    struct hf_list link;
    struct hf_listener *listener;
    int fd;
    struct hf_loop_fd *watch;
    uint64_t until_ns; /* deadline by uv_hrtime(), for the owner's tick */
    struct hf_buf in;
};

/* Takes over `fd`; calls ready() when it is readable. Call hf_listener_drop() even after an error. */
HF_MUST_USE int hf_listener_admit(struct hf_accepted *accepted, struct hf_listener *listener, int fd,
                                  void (*ready)(void *arg), void *arg);
void hf_listener_drop(struct hf_accepted *accepted);
void hf_listener_extend(struct hf_accepted *accepted, unsigned seconds);
