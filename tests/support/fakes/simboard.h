/* SPDX-License-Identifier: Apache-2.0 */
/* support/simboard.h - the board under an agent, on virtual time: services that run what lies at a path, a systemd that restarts
 * them, child processes that ask after them, and a loopback that no cut link touches.
 *
 *     struct hf_simboard *host = hf_simboard_new(loop, fs);
 *     hf_simboard_service(host, "edge.service", 8080, "/opt/edge/app");
 *     hf_simboard_boot(host);                                        the power came back
 *     ... hf_simboard_http(host, client's table), _proc, _probe, _unit go to the agent ...
 *
 * What is at the path when a service starts decides how it fares: its first line is "release NAME VERSION TEMPER", TEMPER one
 * of healthy, sick (runs, but says 503), crash (does not run), slow (healthy after 20 s). Anything else crashes.
 *
 *   http://127.0.0.1:PORT/...      200 healthy, 503 sick or not yet; -ECONNREFUSED not running
 *   tcp 127.0.0.1:PORT             0 when it runs, else -ECONNREFUSED
 *   exec /bin/check UNIT           exit 0 healthy, 1 not; /bin/restart UNIT restarts it; anything else: -ENOENT
 *   unit state                     "active" when it runs, else "failed"; unknown units -ENOENT
 *
 * Services live on when an agent is killed, as a restart asked for before that does. Answers take 1 .. 50 ms. */
#pragma once

#include "base/buf.h"
#include "loop/http/http.h"
#include "loop/probe.h"
#include "loop/proc.h"
#include "loop/unit.h"
#include "support/fakes/simfs.h"
#include "support/fakes/simloop.h"

struct hf_simboard;

struct hf_simboard *hf_simboard_new(struct hf_simloop *loop, struct hf_simfs *fs); /* aborts on OOM */
void hf_simboard_free(struct hf_simboard *host); /* before the loop; its calls must be ended or cancelled */
HF_DEFINE_CLEANUP(struct hf_simboard, hf_simboard_free)

void hf_simboard_service(struct hf_simboard *host, const char *unit, uint16_t port, const char *path);
/* Some other server on the loopback: answers 200 with the body that `say` gives, or refuses the connection (false). */
void hf_simboard_listen(struct hf_simboard *host, uint16_t port, bool (*say)(void *arg, struct hf_buf *ret_body),
                        void *arg);
void hf_simboard_boot(struct hf_simboard *host); /* every service starts again with what is on the disk */

/* One agent life: `remote` is asked for everything that is not loopback; it must outlive the calls. */
const struct hf_http_ops *hf_simboard_http(struct hf_simboard *host, const struct hf_http_ops *remote);
const struct hf_proc_ops *hf_simboard_proc(struct hf_simboard *host);
const struct hf_probe_ops *hf_simboard_probe(struct hf_simboard *host);
const struct hf_unit_ops *hf_simboard_unit(struct hf_simboard *host);

/* What a service runs: the first line of what it was started from, "" when it does not run. */
const char *hf_simboard_running(const struct hf_simboard *host, const char *unit);
unsigned hf_simboard_restarts(const struct hf_simboard *host, const char *unit);
size_t hf_simboard_calls(const struct hf_simboard *host); /* open ones */
