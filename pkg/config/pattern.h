/* SPDX-License-Identifier: Apache-2.0 */
/* config/pattern.h - the patterns of the node's configuration, for paths and for origins of URLs. Pure. Threads: any.
 *
 * A path pattern is an absolute path in normal form. In a component, `*` stands for any number of characters except
 * slashes. The component `**` stands for any number of components, also none; at the end of a pattern, it stands for at
 * least one component. "/var/log/" followed by `**` covers everything below /var/log, and not /var/log itself. There
 * are no other wildcards.
 *
 * An origin pattern is SCHEME://HOST[:PORT], in lower case. HOST is a name, an address, `*` for any host,
 * "*.example.org" for the names below example.org, or "localhost" for every loopback address. PORT is a number, or `*`
 * for any port; without a port, the pattern covers the default port of its scheme. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Returns true if the path is in normal form: an absolute path of fewer than PATH_MAX bytes, without control
 * characters, without the components "", "." and "..", and without a slash at the end. "/" is not in normal form. */
bool hf_config_path_is_normal(const char *path);

/* Returns true if the text is a path pattern. */
bool hf_config_pattern_is_path(const char *pattern);
/* Returns true if the pattern covers `path`. No pattern covers a path that is not in normal form. */
bool hf_config_pattern_covers_path(const char *pattern, const char *path);
/* Returns true if the function can prove that the pattern covers every path that `glob` can match; false can also mean
 * that it found no proof. `glob` is a path in normal form whose last component may have the wildcards of fnmatch(3):
 * `*`, `?`, `[`, and `\` to escape. */
bool hf_config_pattern_covers_glob(const char *pattern, const char *glob);

enum { HF_CONFIG_ORIGIN = 320 };

/* Writes the origin of a URL, "https://host:443", with the host in lower case and the port always present. `schemes`
 * lists the allowed schemes; NULL ends the list. Returns false if the URL has another scheme, a user, a host with
 * characters that are not allowed in a host name, a port out of range, a backslash, a blank, a control character or a
 * character that is not ASCII, or if the origin is too long. */
bool hf_config_origin_of(const char *url, const char *const *schemes, char origin[HF_CONFIG_ORIGIN]);
/* Returns true if the text is an origin pattern whose scheme is in the list `schemes`. */
bool hf_config_pattern_is_origin(const char *pattern, const char *const *schemes);
/* Returns true if the pattern covers `origin`, which is a text from hf_config_origin_of(). Pass own = true if the host
 * in `origin` is an address of this node; a pattern with the host "localhost" then covers this host, too. */
bool hf_config_pattern_covers_origin(const char *pattern, const char *origin, bool own);
