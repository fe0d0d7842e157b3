/* SPDX-License-Identifier: Apache-2.0 */
/* The node's configuration, /etc/holdfast/agent.yaml, which limits what the cluster can make the node do.
 *
 * The cluster never writes it. For `config` NULL, and mostly without the file, the defaults of holdfast-agent.yaml(5)
 * apply. Functions from hf_config_allows_file_glob() on are pure. Any thread: only hf_config_put_fault() changes a
 * configuration. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/field/issues.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"
#include "codec/json.h"

#define HF_CONFIG_FILE "/etc/holdfast/agent.yaml"
#define HF_CONFIG_KIND "AgentConfiguration"

#define HF_CONFIG_UPDATE_ROOTS "/opt", "/usr/local", "/var/lib/holdfast/payload"

enum {
    HF_CONFIG_MAX_BYTES = 256 << 10,
    HF_CONFIG_MAX_ITEMS = 64,
    HF_CONFIG_MAX_ROOTS = 7,
    HF_CONFIG_MAX_FAULTS = 32,
};

struct hf_config;

/* UNSIGNED: what `telemetry` or `manifests` allow; SIGNED: also what `signedPolicies` or `signedPolicies.manifests`
 * add. */
enum hf_config_scope { HF_CONFIG_UNSIGNED, HF_CONFIG_SIGNED, HF_CONFIG_SCOPES };

struct hf_config *hf_config_new(void);
void hf_config_free(struct hf_config *config);
HF_DEFINE_CLEANUP(struct hf_config, hf_config_free)

/* A wrong field or item is a fault and allows nothing; a wrong maxSpool, diskReserve or staticPodFolder keeps its
 * default; a wrong requireSigned or tpm.floors counts as set. A text that is no AgentConfiguration gives the defaults,
 * but requires signatures, and allows neither sealed Secrets on disk nor the page. Returns 0, or -ENOMEM. */
HF_MUST_USE int hf_config_parse(struct hf_view text, const char *name, struct hf_config **ret_config,
                                struct hf_err *err);

/* Faults go to *issues, with JSON paths. Returns 0, or -ENOMEM. */
HF_MUST_USE int hf_config_decode(json_t *json, const char *name, struct hf_config **ret_config,
                                 struct hf_issues *issues);

/* `path` is absolute, without links, a regular file. It and all folders above belong to root or this process's user,
 * and nobody else may write them (except a folder with the sticky bit). Any other file counts as no AgentConfiguration,
 * as does a missing file with `must_exist`; without `must_exist`, a missing file gives the defaults. Blocks. Returns 0,
 * or -ENOMEM. */
HF_MUST_USE int hf_config_load(const struct hf_fs_ops *fs, const char *path, bool must_exist,
                               struct hf_config **ret_config, struct hf_err *err);

const char *hf_config_name(const struct hf_config *config);

bool hf_config_is_usable(const struct hf_config *config);

/* A fault may read "/etc/holdfast/agent.yaml:7: telemetry.colour: unknown field". */
size_t hf_config_n_faults(const struct hf_config *config);
const char *hf_config_fault(const struct hf_config *config, size_t i);

/* Makes "<fault>; <more>" the first fault. */
HF_MUST_USE int hf_config_put_fault(struct hf_config *config, const char *fault, const char *more);

HF_MUST_USE int hf_config_format(const struct hf_config *config, struct hf_buf *out);

/* The functions below with *err (may be NULL) explain false there: some wrong forms by EINVAL, else by EACCES, mostly
 * with the remedy: "'/srv/log/x' is not allowed: add '/srv/log/x' to telemetry.files in /etc/holdfast/agent.yaml". */

/* For sources.files: `glob` is absolute, with fnmatch(3)'s wildcards in the last component. True only if every
 * match is allowed. */
bool hf_config_allows_file_glob(const struct hf_config *config, enum hf_config_scope scope, const char *glob,
                                struct hf_err *err);
/* `path` is absolute, without links, and matches a policy's pattern. */
bool hf_config_allows_file(const struct hf_config *config, enum hf_config_scope scope, const char *path);
/* `ref` is "file:/path" or "env:NAME"; plain paths (tokenFile, keyFile) need "file:" before. */
bool hf_config_allows_secret(const struct hf_config *config, enum hf_config_scope scope, const char *ref,
                             struct hf_err *err);
/* `url` is http or https; scheme, host and port count. */
bool hf_config_allows_sink(const struct hf_config *config, enum hf_config_scope scope, const char *url,
                           struct hf_err *err);
/* `url` is "mqtt://host:port" or "mqtts://host:port". */
bool hf_config_allows_broker(const struct hf_config *config, enum hf_config_scope scope, const char *url,
                             struct hf_err *err);
/* own_address: the host is this node's, which "localhost" covers. */
bool hf_config_allows_scrape(const struct hf_config *config, enum hf_config_scope scope, const char *url,
                             bool own_address, struct hf_err *err);
bool hf_config_allows_socket(const struct hf_config *config, enum hf_config_scope scope, const char *path,
                             struct hf_err *err);
/* `program` is absolute. All programs are allowed by default. */
bool hf_config_allows_exec(const struct hf_config *config, const char *program, struct hf_err *err);

/* All services are allowed by default. */
bool hf_config_allows_unit(const struct hf_config *config, const char *unit, struct hf_err *err);

/* hf_config_allows_manifest_*() are for entries of spec.manifests; by default only downloads from https are allowed. */

/* Static pods can have all rights of root. */
bool hf_config_allows_manifest_static_pods(const struct hf_config *config, enum hf_config_scope scope,
                                           struct hf_err *err);
bool hf_config_allows_manifest_cluster(const struct hf_config *config, enum hf_config_scope scope, struct hf_err *err);
/* `path` is absolute, normal, without links; '/' at the end: any file directly in it. Never below /proc, /sys, /dev,
 * holdfast's folders in /etc, /var/lib and /run, or a kubelet's folders of static pods, and never
 * hf_config_path_is_reserved(). The caller also checks its own folders and their other names
 * (manifests/files/closed.h). */
bool hf_config_allows_manifest_file(const struct hf_config *config, enum hf_config_scope scope, const char *path,
                                    struct hf_err *err);
bool hf_config_allows_manifest_secret_file(const struct hf_config *config, enum hf_config_scope scope, const char *path,
                                           struct hf_err *err);
/* `sub_path` is relative and normal; NULL or "" means all of `path`. What overlaps hf_config_manifest_closed() is never
 * allowed. The caller also compares the folders: links and bind mounts give other paths. */
bool hf_config_allows_manifest_read(const struct hf_config *config, enum hf_config_scope scope, const char *path,
                                    const char *sub_path, struct hf_err *err);
/* Returns paths that entries must not read: those that they must not write, except reserved paths and a kubelet's
 * folders of static pods. */
const char *const *hf_config_manifest_closed(void);
bool hf_config_allows_manifest_unit(const struct hf_config *config, enum hf_config_scope scope, const char *unit,
                                    struct hf_err *err);
bool hf_config_allows_manifest_exec(const struct hf_config *config, enum hf_config_scope scope, const char *program,
                                    struct hf_err *err);
/* `url` is http or https; scheme, host and port count. */
bool hf_config_allows_manifest_origin(const struct hf_config *config, enum hf_config_scope scope, const char *url,
                                      struct hf_err *err);

/* Both paths are absolute; `path` is normal, `folder` may end with '/'. */
bool hf_config_path_is_within(const char *path, const char *folder);

/* Whether a component begins with ".holdfast-", as floors and unfinished files do. */
bool hf_config_path_is_reserved(const char *path);

bool hf_config_requires_signed_manifests(const struct hf_config *config);
const char *hf_config_static_pod_folder(const struct hf_config *config);
bool hf_config_allows_clock_resync(const struct hf_config *config, struct hf_err *err);
/* What the node's page lets viewers do. Default READ; a wrong value gives NONE. */
enum hf_config_page { HF_CONFIG_PAGE_NONE, HF_CONFIG_PAGE_READ, HF_CONFIG_PAGE_ACT, HF_CONFIG_PAGES };
const char *hf_config_page_name(enum hf_config_page page);
enum hf_config_page hf_config_page(const struct hf_config *config);
struct hf_config_tpm {
    bool seals_secrets; /* seals Secrets on disk; on by default */
    bool counts_floors; /* proves that floors are the newest; off by default */
    const char *tcti;   /* "device:PATH" or "swtpm:CONFIGURATION" (tpm/chip.h) */
    uint32_t pcrs;      /* bit N: unseals only while PCR N is unchanged */
};
struct hf_config_tpm hf_config_tpm(const struct hf_config *config);
/* The kubelet's credential providers (mirror/login): absolute, normal paths, or NULL. */
struct hf_config_image_credentials {
    const char *config, *folder;
};
struct hf_config_image_credentials hf_config_image_credentials(const struct hf_config *config);
#define HF_CONFIG_SHARE_PORT 9094
#define HF_CONFIG_SHARE_BYTES_PER_S (UINT64_C(8) << 20)
struct hf_config_share {
    bool neighbours; /* off by default */
    uint64_t port, bytes_per_s;
    const char *ca_file, *cert_file, *key_file;
};
struct hf_config_share hf_config_share(const struct hf_config *config);
/* Whether `units` has the full name; a pattern is not enough. */
bool hf_config_names_unit(const struct hf_config *config, const char *unit);

const char *const *hf_config_update_roots(const struct hf_config *config);
uint64_t hf_config_max_spool_bytes(const struct hf_config *config, enum hf_config_scope scope);
uint64_t hf_config_disk_reserve_bytes(const struct hf_config *config, uint64_t disk_bytes);
bool hf_config_requires_signed_policy(const struct hf_config *config);
