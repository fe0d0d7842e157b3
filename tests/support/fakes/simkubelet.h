/* SPDX-License-Identifier: Apache-2.0 */
/* support/simkubelet.h - a kubelet's static pods on virtual time: it reads a folder, runs what it finds, and lists its pods.
 *
 * It looks at the folder about once a second, and reads each file whose name does not begin with a dot, as kubelets do. A file
 * that is no v1 Pod is no pod to it: what ran from this file ends. The end of the image's text decides how a pod fares:
 * "-crash" begins and crashes again and again, anything else is ready after a moment. A pod whose file has changed starts anew.
 * Its hash is that of the file or, as with kubelets, metadata.uid if the file has one. */
#pragma once

#include "base/buf.h"
#include "codec/json.h"
#include "support/fakes/simfs.h"
#include "support/fakes/simloop.h"

struct hf_simkubelet;

/* `folder` and `node` are borrowed. Aborts on OOM, as everything here. */
struct hf_simkubelet *hf_simkubelet_new(struct hf_simloop *loop, struct hf_simfs *fs, const char *folder,
                                        const char *node);
void hf_simkubelet_free(struct hf_simkubelet *kubelet); /* the loop must not run any more, only be freed */

/* The kubelet looks at its folder about once a second. Makes each pause this much longer: a real kubelet looks every
 * 20 s. */
void hf_simkubelet_set_pause(struct hf_simkubelet *kubelet, uint64_t pause_ns);
void hf_simkubelet_set_clock(struct hf_simkubelet *kubelet, int64_t offset_ns); /* of the wall clock to the truth */
/* Lets the kernel (/proc/net/tcp) say that this user listens on the read-only port. hf_simkubelet_new() says root. */
void hf_simkubelet_listen(struct hf_simfs *fs, unsigned uid);
/* Its process ends (pods go on, nothing is read or answered), or starts: it sees every file for the first time. */
void hf_simkubelet_set_up(struct hf_simkubelet *kubelet, bool up);
void hf_simkubelet_boot(struct hf_simkubelet *kubelet); /* the power came back: no pod runs until its file is read */

/* Body of GET /pods; false while it does not run. For hf_simboard_listen(). */
bool hf_simkubelet_list(void *kubelet, struct hf_buf *ret_body);
/* The mirror of a pod, by its name with the node's; a new tree, NULL: there is none. */
json_t *hf_simkubelet_mirror(const struct hf_simkubelet *kubelet, const char *ns, const char *name);
/* The image that a pod runs and is ready with; "" if it is not there or not ready. */
const char *hf_simkubelet_running(const struct hf_simkubelet *kubelet, const char *ns, const char *name);
