/* Inside of the access-list rows. */
#ifndef POSTERN_MODEL_ACL_H
#define POSTERN_MODEL_ACL_H

#include "configdb/model/stmt.h"

/* The compiled row of a named list that prints an entry or a remark. */
const struct grammar_row *ace_row(bool extended, bool remark);
/* What a line bound into columns of table ace; columns into what the row prints. */
void ace_to_columns(struct values *v, bool extended);
void ace_to_vars(struct values *v, bool extended);

/* acl_change.c: what the rows do. */
enum grammar_result ace_apply(struct change *c);      /* an entry or a remark, named or numbered */
enum grammar_result ace_remove_seq(struct change *c); /* `no 10` */
enum grammar_result acl_enter(struct change *c);      /* `ip access-list extended NAME` */
enum grammar_result acl_resequence(struct change *c);

#endif
