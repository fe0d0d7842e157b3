/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns of agent.yaml. Pure.
 *
 * For absolute, normal paths: `*` is any characters of a component; `**` is any number of components, at the end at
 * least one.
 *
 * For origins, SCHEME://HOST[:PORT] in lower case: HOST is a name, an address, `*`, "*.example.org", or "localhost" for
 * loopback; PORT is a number or `*`, by default the scheme's. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* A normal path is absolute, shorter than PATH_MAX, not "/", and has no control characters, no components "", "." and
 * "..", and no final slash. */
bool hf_config_path_is_normal(const char *path);

bool hf_config_pattern_is_path(const char *pattern);
/* Whether `pattern` covers `path`; false if `path` is not normal. */
bool hf_config_pattern_covers_path(const char *pattern, const char *path);
/* Whether `pattern` provably covers all matches of `glob`, which is normal, with fnmatch(3)'s wildcards at its end. */
bool hf_config_pattern_covers_glob(const char *pattern, const char *glob);

enum { HF_CONFIG_ORIGIN = 320 };

/* Writes "https://host:443" in lower case. Returns false for another scheme, a user, wrong host or port, a backslash,
 * blank, control or non-ASCII character, or if the origin is too long. */
bool hf_config_origin_of(const char *url, const char *const *schemes, char origin[HF_CONFIG_ORIGIN]);
bool hf_config_pattern_is_origin(const char *pattern, const char *const *schemes);
/* `own`: the host of `origin` is this node's, which "localhost" covers. */
bool hf_config_pattern_covers_origin(const char *pattern, const char *origin, bool own);
