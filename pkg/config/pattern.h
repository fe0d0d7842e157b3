/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns of agent.yaml. Pure.
 *
 * Paths, absolute and normal: `*` is any characters of a component; the component `**` any number of components, at the
 * end at least one.
 *
 * Origins, SCHEME://HOST[:PORT] in lower case: HOST is a name, an address, `*`, "*.example.org", or "localhost" for
 * loopback. PORT: a number or `*`; by default the scheme's. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Absolute, below PATH_MAX, no control characters, no "", "." and "..", no slash at the end. Not "/". */
bool hf_config_path_is_normal(const char *path);

bool hf_config_pattern_is_path(const char *pattern);
/* Never a path that is not normal. */
bool hf_config_pattern_covers_path(const char *pattern, const char *path);
/* Provably every match of `glob`, which is normal, with wildcards of fnmatch(3) at its end. */
bool hf_config_pattern_covers_glob(const char *pattern, const char *glob);

enum { HF_CONFIG_ORIGIN = 320 };

/* "https://host:443", lower case, always a port. False: another scheme, a user, a wrong host or port, a backslash, a
 * blank, a control or non-ASCII character, or too long. */
bool hf_config_origin_of(const char *url, const char *const *schemes, char origin[HF_CONFIG_ORIGIN]);
bool hf_config_pattern_is_origin(const char *pattern, const char *const *schemes);
/* own: the host of `origin` is this node's, so "localhost" covers it. */
bool hf_config_pattern_covers_origin(const char *pattern, const char *origin, bool own);
