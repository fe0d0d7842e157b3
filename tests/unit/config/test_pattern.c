/* SPDX-License-Identifier: Apache-2.0 */
#include "config/pattern.h"

#include "base/macros.h"
#include "support/check_main.h"

static const struct {
    const char *pattern, *path;
    bool covered;
} paths[] = {
    {"/var/log/**", "/var/log/syslog", true},
    {"/var/log/**", "/var/log/a/b/c", true},
    {"/var/log/**", "/var/log/.hidden", true},
    {"/var/log/**", "/var/log", false},
    {"/var/log/**", "/var/log/", false},
    {"/var/log/**", "/var/logs/a", false},
    {"/var/log/**", "/var/log/../shadow", false},
    {"/var/log/**", "/var/log/a/../../../etc/shadow", false},
    {"/var/log/**", "/var/log//a", false},
    {"/var/log/**", "/var/log/./a", false},
    {"/var/log/**", "//var/log/a", false},
    {"/var/log/**", "var/log/a", false},
    {"/var/log/**", "", false},
    {"/var/log/**", "/", false},
    {"/var/log/**", "/etc/shadow", false},
    {"/var/log/**", "/var/log/a\nb", false},
    {"/var/log/**", "/VAR/log/a", false},
    {"/var/log/*", "/var/log/a", true},
    {"/var/log/*", "/var/log/a/b", false},
    {"/var/log/*.log", "/var/log/a.log", true},
    {"/var/log/*.log", "/var/log/.log", true},
    {"/var/log/*.log", "/var/log/a.log.1", false},
    {"/srv/*/log/a", "/srv/x/log/a", true},
    {"/srv/*/log/a", "/srv/x/y/log/a", false},
    {"/srv/*/log/a", "/srv/../log/a", false},
    {"/srv/**/log/a", "/srv/log/a", true},
    {"/srv/**/log/a", "/srv/x/y/log/a", true},
    {"/srv/**/log/a", "/srv/log/log/a", true},
    {"/srv/**/log/a", "/srv/x/y/log/a/b", false},
    {"/srv/**/a/**/b", "/srv/a/x/a/b", true},
    {"/srv/**/a/**/b", "/srv/a/x/a", false},
    {"/srv/**/a/**", "/srv/x/a", false},
    {"/srv/**/a/**", "/srv/x/a/b", true},
    {"/srv/a*b*c", "/srv/abbc", true},
    {"/srv/a*b*c", "/srv/ac", false},
    {"/etc/holdfast", "/etc/holdfast", true},
    {"/etc/holdfast", "/etc/holdfast/x", false},
    {"/etc/[a]", "/etc/[a]", false},   /* no pattern */
    {"/etc/a**", "/etc/ab", false},    /* no pattern */
    {"/etc/../x", "/etc/../x", false}, /* no pattern */
    {"relative/**", "relative/a", false},
};

START_TEST(path)
{
    ck_assert_msg(hf_config_pattern_covers_path(paths[_i].pattern, paths[_i].path) == paths[_i].covered,
                  "'%s' and '%s'", paths[_i].pattern, paths[_i].path);
}
END_TEST

static const struct {
    const char *pattern, *glob;
    bool covered;
} globs[] = {
    {"/var/log/**", "/var/log/*", true},
    {"/var/log/**", "/var/log/app/*.log", true},
    {"/var/log/**", "/var/log/[a-z]?.log", true},
    {"/var/log/**", "/var/log/app.log", true},
    {"/var/log/**", "/var/*", false},
    {"/var/log/**", "/var/lo*", false},
    {"/var/log/**", "/var/log*", false},
    {"/var/log/**", "/var/*/x", false},
    {"/var/log/**", "/var/log/*/x", false}, /* a wildcard in a folder */
    {"/var/log/**", "/var/log/../*", false},
    {"/var/log/**", "/*", false},
    {"/var/log/**", "/var/log/[", true},
    {"/var/log/*", "/var/log/*.log", true},
    {"/var/log/*", "/var/log/a/*.log", false},
    {"/var/log/*.log", "/var/log/*.log", true},
    {"/var/log/*.log", "/var/log/app-*.log", true},
    {"/var/log/*.log", "/var/log/app-?.log", true},
    {"/var/log/*.log", "/var/log/*", false},
    {"/var/log/*.log", "/var/log/*.lo[g]", false}, /* true, but not by the text around the star */
    {"/var/log/*.log", "/var/log/*.log*", false},
    {"/var/log/*.log", "/var/log/[.log]", false},
    {"/var/log/*.log", "/var/log/\\*.log", true},
    {"/var/log/app*.log", "/var/log/ap*.log", false},
    {"/var/log/app*.log", "/var/log/app*.log", true},
    {"/var/log/app*.log", "/var/log/app.*.log", true},
    {"/var/log/app*.log", "/var/log/app.log", true},
    {"/var/log/aa*aa", "/var/log/aa?*aa", true},
    {"/var/log/aaa*aaa", "/var/log/aa*aa", false},
    {"/var/log/a*b*c", "/var/log/a*b*c", true},
    {"/var/log/a*b*c", "/var/log/a?b?c", false},
    {"/var/log/syslog", "/var/log/syslo?", false},
    {"/var/log/syslog", "/var/log/syslog", true},
    {"/var/log/a]b", "/var/log/a]b", true},
};

START_TEST(glob)
{
    ck_assert_msg(hf_config_pattern_covers_glob(globs[_i].pattern, globs[_i].glob) == globs[_i].covered,
                  "'%s' and '%s'", globs[_i].pattern, globs[_i].glob);
}
END_TEST

static const char *const schemes[] = {"http", "https", "mqtt", "mqtts", NULL};

static const struct {
    const char *url, *origin; /* NULL: refused */
} urls[] = {
    {"https://a.example.org", "https://a.example.org:443"},
    {"https://A.Example.org:8443/path?x#y", "https://a.example.org:8443"},
    {"https://a.example.org?x", "https://a.example.org:443"},
    {"https://a:/x", "https://a:443"},
    {"mqtt://a", "mqtt://a:1883"},
    {"mqtts://a", "mqtts://a:8883"},
    {"http://[::1]:9100/metrics", "http://[::1]:9100"},
    {"https://[2001:DB8::1]/", "https://[2001:db8::1]:443"},
    {"https://user@host", NULL},
    {"https://good@evil", NULL},
    {"https://good\\@evil", NULL},
    {"https://good\\.evil/", NULL},
    {"https://go od", NULL},
    {"https://good\t.evil", NULL},
    {"https://good\n", NULL},
    {"https://host:0", NULL},
    {"https://host:65536", NULL},
    {"https://host:443:80", NULL},
    {"https://host:+1", NULL},
    {"https://host:99999999999999999999", NULL},
    {"https://*", NULL},
    {"https://*.example.org", NULL},
    {"https://%68ost", NULL},
    {"https://h\xc3\xb6st", NULL},
    {"https://[::1", NULL},
    {"https://[::1].evil", NULL},
    {"https://[]", NULL},
    {"https://[fe80::1%25eth0]", NULL},
    {"https:///x", NULL},
    {"https://", NULL},
    {"https:host", NULL},
    {"HTTPS://host", NULL},
    {"ftp://host", NULL},
    {"file:///etc/shadow", NULL},
    {"x?https://host", NULL},
    {"", NULL},
};

START_TEST(origin)
{
    char got[HF_CONFIG_ORIGIN];
    bool ok = hf_config_origin_of(urls[_i].url, schemes, got);

    ck_assert_msg(ok == (urls[_i].origin != NULL) && (!ok || strcmp(got, urls[_i].origin) == 0), "'%s' gives '%s'",
                  urls[_i].url, ok ? got : "nothing");
}
END_TEST

static const struct {
    const char *pattern, *url;
    bool own, covered;
} origins[] = {
    {"https://*:*", "https://x:1", false, true},
    {"https://*:*", "http://x:1", false, false},
    {"https://*", "https://x", false, true},
    {"https://*", "https://x:8443", false, false},
    {"https://x", "https://x:443/y", false, true},
    {"https://x", "https://x.evil", false, false},
    {"https://x", "https://ax", false, false},
    {"https://x:*", "https://x:1", false, true},
    {"https://*.example.org", "https://a.example.org", false, true},
    {"https://*.example.org", "https://a.b.example.org", false, true},
    {"https://*.example.org", "https://example.org", false, false},
    {"https://*.example.org", "https://evilexample.org", false, false},
    {"https://*.example.org", "https://a.example.org.evil", false, false},
    {"https://*.example.org", "https://.example.org", false, false},
    {"http://localhost:*", "http://127.0.0.1:80", false, true},
    {"http://localhost:*", "http://127.9.9.9", false, true},
    {"http://localhost:*", "http://[::1]:9", false, true},
    {"http://localhost:*", "http://localhost:9", false, true},
    {"http://localhost:*", "http://LOCALHOST:9", false, true},
    {"http://localhost:*", "http://127.0.0.1.evil", false, false},
    {"http://localhost:*", "http://localhost.evil", false, false},
    {"http://localhost:*", "http://localhost.", false, false},
    {"http://localhost:*", "http://127.1", false, false},
    {"http://localhost:*", "http://0x7f.0.0.1", false, false},
    {"http://localhost:*", "http://2130706433", false, false},
    {"http://localhost:*", "http://[::ffff:127.0.0.1]", false, false},
    {"http://localhost:*", "http://10.0.0.1", false, false},
    {"http://localhost:*", "http://10.0.0.1", true, true},
    {"http://localhost:1", "http://10.0.0.1:2", true, false},
    {"http://127.0.0.1:*", "http://127.0.0.2", false, false},
    {"http://[::1]:*", "http://[::1]", false, true},
    {"x://y", "https://y", false, false},
    {"https://a*", "https://ab", false, false},   /* no pattern */
    {"https://x/y", "https://x", false, false},   /* no pattern */
    {"https://x:", "https://x", false, false},    /* no pattern */
    {"https://X", "https://x", false, false},     /* no pattern */
    {"https://*.*", "https://a.b", false, false}, /* no pattern */
    {"https://*.", "https://a.", false, false},   /* no pattern */
};

START_TEST(origin_pattern)
{
    char made[HF_CONFIG_ORIGIN];

    ck_assert_msg(hf_config_origin_of(origins[_i].url, schemes, made), "'%s'", origins[_i].url);
    ck_assert_msg(hf_config_pattern_covers_origin(origins[_i].pattern, made, origins[_i].own) == origins[_i].covered,
                  "'%s' and '%s'", origins[_i].pattern, origins[_i].url);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, path, 0, HF_LEN(paths));
    tcase_add_loop_test(tc, glob, 0, HF_LEN(globs));
    tcase_add_loop_test(tc, origin, 0, HF_LEN(urls));
    tcase_add_loop_test(tc, origin_pattern, 0, HF_LEN(origins));
}
HF_TEST_MAIN("config/pattern", cases)
