/* SPDX-License-Identifier: Apache-2.0 */
/* support/simnet.h - loop/http.h on a virtual network: clients of processes on a simloop, servers that are functions.
 *
 *     struct hf_simnet *net = hf_simnet_new(loop);
 *     hf_simnet_serve(net, "https://api", handle, &server);          longest matching prefix of the URL wins
 *     struct hf_simclient *client = hf_simnet_client(net, proc);     one client is one peer configuration and one link
 *     ... give hf_simclient_ops(client) to the code under test ...
 *
 * A link has a delay (so that answers of different calls overtake each other, pieces of one call never), a rate, and can
 * break connections, be cut and healed. One connection per client and origin, as HTTP/2 has it: what breaks one call of it
 * breaks all. A request may reach its server twice (a proxy that tried again): the second answer goes nowhere.
 * Everything is driven by the loop's seed; nothing is called inside hf_http_ops.start. */
#pragma once

#include "loop/http/http.h"
#include "support/fakes/simloop.h"

struct hf_simnet;
struct hf_simclient;
struct hf_simcall; /* one request, as its server sees it */

struct hf_simlink {
    uint64_t delay_min_ns, delay_max_ns; /* each way; default 1 ms */
    uint64_t bytes_per_s;                /* 0: no limit */
    size_t chunk_max;                    /* cut what servers send into pieces of 1 .. this many bytes; 0: whole */
    unsigned break_ppm;                  /* of pieces: the connection dies instead */
    unsigned duplicate_ppm;              /* of requests: the server gets it twice */
};

enum hf_simlink_state {
    HF_SIM_LINK_UP,
    HF_SIM_LINK_DOWN,   /* our own interface: new calls -EHOSTUNREACH, open ones hear nothing */
    HF_SIM_LINK_SILENT, /* packets vanish on the way: new calls run into their timeouts, open ones hear nothing */
};

enum hf_simserver_state {
    HF_SIM_SERVER_UP,
    HF_SIM_SERVER_REFUSING, /* its process ended: open calls -EPIPE, new ones -ECONNREFUSED */
    HF_SIM_SERVER_SILENT,   /* its machine lost power: nothing is heard any more */
    HF_SIM_SERVER_FROZEN, /* its process stands still: the kernel keeps connections alive, nothing is answered until it is UP */
};

struct hf_simnet *hf_simnet_new(struct hf_simloop *loop);
void hf_simnet_free(struct hf_simnet *net); /* after its clients; calls that servers still hold are dropped */
HF_DEFINE_CLEANUP(struct hf_simnet, hf_simnet_free)

/* `prefix` is copied; it starts with "scheme://host". Serving a prefix again replaces its handler. */
void hf_simnet_serve(struct hf_simnet *net, const char *prefix, void (*handle)(void *arg, struct hf_simcall *call),
                     void *arg);
void hf_simnet_set_server(struct hf_simnet *net, const char *prefix, enum hf_simserver_state state);

/* Servers cut a hf_simcall_reply() that takes longer to arrive, as --request-timeout of an API server does; 0: no
 * limit. */
void hf_simnet_set_answer_limit(struct hf_simnet *net, uint64_t limit_ns);

/* Every server's Date is so far ahead of the truth from now on. */
void hf_simnet_set_date_offset(struct hf_simnet *net, int64_t offset_ns);
/* The certificate of every https server is valid in this period (seconds since 1970), as clients with a clock judge it. */
void hf_simnet_set_certificate(struct hf_simnet *net, int64_t from_s, int64_t until_s);

struct hf_simclient *hf_simnet_client(struct hf_simnet *net, struct hf_simproc *proc);
void hf_simclient_free(struct hf_simclient *client); /* its calls must be ended or cancelled */
HF_DEFINE_CLEANUP(struct hf_simclient, hf_simclient_free)
const struct hf_http_ops *hf_simclient_ops(struct hf_simclient *client);
/* The clock that judges certificates; NULL (at first): every certificate is accepted. */
void hf_simclient_set_clock(struct hf_simclient *client, const struct hf_clock_ops *clock);
void hf_simclient_set_link(struct hf_simclient *client, const struct hf_simlink *link);
/* What was on its way when the link went is delivered after it is UP again, to calls that still wait. */
void hf_simclient_set_state(struct hf_simclient *client, enum hf_simlink_state state);
/* A proxy on the way cuts connections on which no byte has passed for so long; 0: none. */
void hf_simclient_set_idle_limit(struct hf_simclient *client, uint64_t limit_ns);
void hf_simclient_break(struct hf_simclient *client); /* every connection dies now: -EPIPE (a NAT that forgot) */
size_t hf_simclient_calls(const struct hf_simclient *client);     /* open ones */
uint64_t hf_simclient_started(const struct hf_simclient *client); /* how many were ever started */

/* The server's half. Views and strings live as long as the call. After end, fail, or `gone` was called: do not touch it. */
const char *hf_simcall_method(const struct hf_simcall *call);
const char *hf_simcall_url(const struct hf_simcall *call);
const char *hf_simcall_target(const struct hf_simcall *call);                   /* from the path on */
const char *hf_simcall_header(const struct hf_simcall *call, const char *name); /* NULL when absent */
struct hf_view hf_simcall_body(const struct hf_simcall *call);
const char *hf_simcall_client(const struct hf_simcall *call); /* name of the asking process */
/* %-decoded value of a query parameter into value[n]; false when absent. */
bool hf_simcall_query(const struct hf_simcall *call, const char *key, char *value, size_t n);
/* The path without query equals `path`. */
bool hf_simcall_is(const struct hf_simcall *call, const char *path);

/* From now on the call's answer has the header Audit-Id, as those of an API server have. */
void hf_simcall_mark(struct hf_simcall *call);
/* Send status and headers (fields left 0 are as absent); once, first. `date_unix_ns` 0: the world's time. */
void hf_simcall_respond(struct hf_simcall *call, const struct hf_http_response *response);
void hf_simcall_send(struct hf_simcall *call, const void *bytes, size_t n);
void hf_simcall_end(struct hf_simcall *call);
void hf_simcall_fail(struct hf_simcall *call, int r); /* the client's `done` gets r */
/* The server ends the call. Of what it has sent, only what arrives within `left_ns` still arrives; then `done` gets
 * r. */
void hf_simcall_cut(struct hf_simcall *call, uint64_t left_ns, int r);
/* respond + send + end. */
void hf_simcall_reply(struct hf_simcall *call, int status, const char *content_type, const char *body);
/* Called when the client is known to be gone, or the server's state was taken from UP: streams need it. */
void hf_simcall_on_gone(struct hf_simcall *call, void (*gone)(void *arg, struct hf_simcall *call), void *arg);
