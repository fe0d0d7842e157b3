/* config/config.h - the node's own configuration, /etc/holdfast/agent.yaml: the bounds on what objects from the cluster
 * may ask of this node.
 *
 * The cluster never writes this file. A node without the file has the defaults of holdfast-agent.yaml(5). The functions
 * hf_config_allows_*() and the functions below them in this file are pure. If their argument `config` is NULL, they use
 * the defaults. Threads: any; a configuration does not change after it was made. Memory: the caller owns a
 * configuration and frees it with hf_config_free(). */
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

/* Folders below which releases may be installed, unless the file or --update-root names others. */
#define HF_CONFIG_UPDATE_ROOTS "/opt", "/usr/local", "/var/lib/holdfast/payload"

enum {
    HF_CONFIG_MAX_BYTES = 256 << 10, /* maximum size of the file in bytes */
    HF_CONFIG_MAX_ITEMS = 64,        /* maximum number of items in a list */
    HF_CONFIG_MAX_ROOTS = 7,         /* maximum number of items in updateRoots */
    HF_CONFIG_MAX_FAULTS = 32,       /* maximum number of faults that a configuration keeps */
};

struct hf_config;

/* Whether an object has valid signatures. A signed SyncPolicy may do what `telemetry` and `signedPolicies` of the file
 * allow, an unsigned one only what `telemetry` allows. */
enum hf_config_scope { HF_CONFIG_UNSIGNED, HF_CONFIG_SIGNED, HF_CONFIG_SCOPES };

/* Returns a configuration with the defaults; NULL on OOM. */
struct hf_config *hf_config_new(void);
/* Frees a configuration; NULL is allowed. */
void hf_config_free(struct hf_config *config);
HF_DEFINE_CLEANUP(struct hf_config, hf_config_free)

/* Parses the text of a file. `name` is the file's path for messages. A field that is wrong allows nothing (see
 * hf_config_fault()); a text that is not an AgentConfiguration at all gives the defaults with one change: SyncPolicies
 * must be signed, because the owner may have wanted to require signatures. Returns 0, also if the text has faults;
 * -ENOMEM. */
HF_MUST_USE int hf_config_parse(struct hf_view text, const char *name, struct hf_config **ret_config,
                                struct hf_err *err);

/* Decodes a parsed text. *issues receives the faults with their JSON paths, and hf_config_n_faults() of the new
 * configuration is 0. Takes a reference to `json`. Returns 0, also if there are issues; -ENOMEM. */
HF_MUST_USE int hf_config_decode(json_t *json, const char *name, struct hf_config **ret_config,
                                 struct hf_issues *issues);

/* Reads and parses the file `path`. If the file does not exist and `must_exist` is false, the result is the defaults,
 * without a fault. The file must be a regular file that belongs to root or to the user of this process, and group and
 * others must not be able to write it or a folder above it; a file that breaks this rule, cannot be read, or is missing
 * although `must_exist` is true is treated like a text that is not an AgentConfiguration. Blocks. Returns 0, also if
 * the file has faults; -ENOMEM. */
HF_MUST_USE int hf_config_load(const struct hf_fs_ops *fs, const char *path, bool must_exist,
                               struct hf_config **ret_config, struct hf_err *err);

/* Returns false if the configuration stands for a file that cannot be used at all. */
bool hf_config_is_usable(const struct hf_config *config);

/* hf_config_n_faults() returns the number of faults found while loading, at most HF_CONFIG_MAX_FAULTS.
 * hf_config_fault() returns the text of fault `i`, such as "/etc/holdfast/agent.yaml:7: telemetry.fils: unknown field;
 * did you mean 'files'?". The configuration owns the text. */
size_t hf_config_n_faults(const struct hf_config *config);
const char *hf_config_fault(const struct hf_config *config, size_t i);

/* Appends the configuration in effect as YAML, one field a line, for a person. Returns 0 or -errno of the buffer. */
HF_MUST_USE int hf_config_format(const struct hf_config *config, struct hf_buf *out);

/* The hf_config_allows_*() functions return true if the configuration allows what the comment of the function asks.
 * Otherwise they return false, and *err (may be NULL; hf_config_allows_file() has no err) names what is refused and the
 * line of the file that would allow it, such as "'/srv/log/x' is not allowed: add '/srv/log/x' to telemetry.files in
 * /etc/holdfast/agent.yaml". The caller adds the name of the object and of its field with hf_err_wrap(). */

/* May a policy name this pattern in sources.files? The pattern is an absolute path whose last component may have the
 * wildcards of fnmatch(3). Returns true only if every path that the pattern can match is allowed. */
bool hf_config_allows_file_glob(const struct hf_config *config, enum hf_config_scope scope, const char *glob,
                                struct hf_err *err);
/* Is this one file, which has matched a policy's pattern, allowed? `path` is the absolute path without links. */
bool hf_config_allows_file(const struct hf_config *config, enum hf_config_scope scope, const char *path);
/* May a policy name this secret? `ref` is "file:/path" or "env:NAME". If a field is a plain path (tokenFile, keyFile),
 * the caller puts "file:" before it. */
bool hf_config_allows_secret(const struct hf_config *config, enum hf_config_scope scope, const char *ref,
                             struct hf_err *err);
/* May telemetry go to this http or https URL? Checks scheme, host and port. */
bool hf_config_allows_sink(const struct hf_config *config, enum hf_config_scope scope, const char *url,
                           struct hf_err *err);
/* May telemetry come from this broker, "mqtt://host:port" or "mqtts://host:port"? */
bool hf_config_allows_broker(const struct hf_config *config, enum hf_config_scope scope, const char *url,
                             struct hf_err *err);
/* May the agent scrape this URL? Pass own_address = true if the host of the URL is an address of this node. The pattern
 * "localhost" then covers the URL, as it covers URLs with loopback addresses. */
bool hf_config_allows_scrape(const struct hf_config *config, enum hf_config_scope scope, const char *url,
                             bool own_address, struct hf_err *err);
/* May a policy order the agent to make a socket at this path? */
bool hf_config_allows_socket(const struct hf_config *config, enum hf_config_scope scope, const char *path,
                             struct hf_err *err);
/* May a release order the agent to run this program? `program` is the absolute path that is the first word of a
 * command. The default configuration allows every program, because releases are signed. */
bool hf_config_allows_exec(const struct hf_config *config, const char *program, struct hf_err *err);

/* May a release order the agent to restart this systemd unit? The default configuration allows every service, because
 * releases are signed. holdfast-units applies the same rule in a pod. */
bool hf_config_allows_unit(const struct hf_config *config, const char *unit, struct hf_err *err);

/* Returns the update roots: absolute paths in normal form, at most HF_CONFIG_MAX_ROOTS; NULL ends the array. */
const char *const *hf_config_update_roots(const struct hf_config *config);
/* Returns the largest spool that a policy may ask for, in bytes. */
uint64_t hf_config_max_spool_bytes(const struct hf_config *config, enum hf_config_scope scope);
/* Returns how many bytes the agent's files must leave free on a file system with a size of `disk_bytes`. */
uint64_t hf_config_disk_reserve_bytes(const struct hf_config *config, uint64_t disk_bytes);
/* Returns true if the agent acts only on SyncPolicies with valid signatures. */
bool hf_config_requires_signed_policy(const struct hf_config *config);
