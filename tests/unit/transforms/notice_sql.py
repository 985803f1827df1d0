"""The notice figures once more, in plain SQL over the contract's tables, written from METHOD 9-17 and not from the code.

Every query gives figure_id, variant, breakdown_id, month, is_ted, numerator, denominator of single facts or sums of them.
"""

from __future__ import annotations

BASE = """
CREATE OR REPLACE TEMP TABLE cur AS
SELECT *, coalesce(procedure_id, notice_id) AS proc FROM notice
WHERE true QUALIFY row_number() OVER (PARTITION BY notice_id
    ORDER BY notice_version DESC, dispatch_at DESC NULLS LAST, delivery_id DESC) = 1;
DELETE FROM cur WHERE NOT is_national_population OR form_type = 'bri';
CREATE OR REPLACE TEMP TABLE kind AS
SELECT *, CASE WHEN form_type = 'competition' OR (form_type = 'change' AND subtype = '16') THEN 'call'
    WHEN form_type = 'result' THEN 'result' ELSE 'other' END AS says FROM cur;
CREATE OR REPLACE TEMP TABLE family AS
WITH RECURSIVE up(notice_id, root, steps) AS (
    SELECT notice_id, notice_id, 0 FROM kind
    UNION ALL
    SELECT up.notice_id, kind.changed_notice_id, steps + 1 FROM up JOIN kind ON kind.notice_id = up.root
    WHERE kind.changed_notice_id IS NOT NULL AND kind.form_type <> 'cont-modif' AND steps < 30)
SELECT notice_id, arg_max(root, steps) AS root FROM up GROUP BY notice_id;
CREATE OR REPLACE TEMP TABLE told AS
SELECT kind.*, root, min(notice_date) OVER (PARTITION BY root, says) AS since,
    coalesce(row_number() OVER (PARTITION BY root, says, coalesce(is_cancelled, false) AND says <> 'result' OR says = 'other'
        ORDER BY dispatch_at DESC, notice_id DESC) = 1 AND NOT coalesce(is_cancelled, false) AND says <> 'other', false) AS speaks
FROM kind JOIN family USING (notice_id);
CREATE OR REPLACE TEMP TABLE call_lot AS
SELECT told.proc, lot.lot_id, told.since, told.is_ted, lot.framework, lot.dps, lot.criteria, lot.deadline_date
FROM told JOIN lot USING (notice_id, notice_version, delivery_id) WHERE told.says = 'call' AND told.speaks
QUALIFY row_number() OVER (PARTITION BY told.proc, lot.lot_id ORDER BY told.dispatch_at DESC, told.notice_id DESC) = 1;
CREATE OR REPLACE TEMP TABLE proc_type AS
SELECT told.proc, procedure_type FROM told JOIN procedure USING (notice_id, notice_version, delivery_id)
WHERE told.speaks AND procedure_type IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY told.proc ORDER BY (told.says = 'result') DESC, told.dispatch_at DESC, told.notice_id DESC) = 1;
CREATE OR REPLACE TEMP TABLE won AS
SELECT r.*, told.proc, told.since, told.is_ted, date_trunc('month', told.since)::DATE AS month, t.procedure_type,
    coalesce(own.framework, c.framework) AS fw, coalesce(own.dps, c.dps, 'none') AS ds, coalesce(own.criteria, c.criteria) AS crit, c.deadline_date,
    EXISTS (FROM told k WHERE k.proc = told.proc AND k.says = 'call' AND k.speaks) AS has_call
FROM told JOIN lot_result r USING (notice_id, notice_version, delivery_id)
LEFT JOIN lot own ON own.notice_id = r.notice_id AND own.notice_version = r.notice_version
    AND own.delivery_id = r.delivery_id AND own.lot_id = r.lot_id
LEFT JOIN call_lot c ON c.proc = told.proc AND c.lot_id = r.lot_id LEFT JOIN proc_type t ON t.proc = told.proc
WHERE told.says = 'result' AND told.speaks;
CREATE OR REPLACE TEMP TABLE open_lot AS
SELECT * FROM won WHERE coalesce(procedure_type, '') NOT IN ('neg-wo-call', 'oth-single') AND fw = 'none' AND ds = 'none'
    AND NOT coalesce(within_framework, false) AND (procedure_type IS NOT NULL OR has_call);
CREATE OR REPLACE TEMP TABLE first_result AS
SELECT proc, since, is_ted, date_trunc('month', since)::DATE AS month FROM told WHERE says = 'result' AND speaks
QUALIFY row_number() OVER (PARTITION BY proc ORDER BY since, dispatch_at, notice_id) = 1;
CREATE OR REPLACE TEMP TABLE first_call AS
SELECT proc, since, is_ted, date_trunc('month', since)::DATE AS month FROM told WHERE says = 'call' AND speaks
QUALIFY row_number() OVER (PARTITION BY proc ORDER BY since, dispatch_at, notice_id) = 1;
"""

WITH_BIDS = "FROM open_lot WHERE result_code = 'selec-w' AND tenders_n >= 1"
KEY = "USING (notice_id, notice_version, delivery_id)"
WINNERS = "FROM won JOIN winner w USING (notice_id, notice_version, delivery_id, result_id)"
OF_NOTICE = "date_trunc('month', notice_date)::DATE, is_ted"
OF_CALL = "date_trunc('month', since)::DATE, is_ted"
SAME = "x.notice_id = c.notice_id AND x.notice_version = c.notice_version AND x.delivery_id = c.delivery_id"
IN_PROCEDURE = "FROM first_result f LEFT JOIN proc_type t USING (proc)"
HAS_AWARD = "EXISTS (FROM won WHERE won.proc = f.proc AND won.result_code = 'selec-w')"
NEWEST_ANSWER = """
SELECT k.proc, l.lot_id, l.{answer} AS answer FROM told k JOIN lot l USING (notice_id, notice_version, delivery_id)
WHERE k.says <> 'other' AND l.{answer} IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY k.proc, l.lot_id ORDER BY (k.says = 'result') DESC, k.dispatch_at DESC, k.notice_id DESC) = 1"""
ANSWER_PLACE = """
SELECT proc, date_trunc('month', since)::DATE AS month, is_ted FROM told WHERE says <> 'other'
QUALIFY row_number() OVER (PARTITION BY proc ORDER BY (says = 'result') DESC, since, dispatch_at, notice_id) = 1"""


CALL_VALUE = """
SELECT k.proc, coalesce(p.estimated_value_cents, CASE WHEN l.known = l.lots THEN l.cents END) AS cents FROM told k
LEFT JOIN procedure p USING (notice_id, notice_version, delivery_id)
LEFT JOIN (SELECT notice_id, notice_version, delivery_id, sum(estimated_value_cents)::BIGINT AS cents, count(estimated_value_cents) AS known,
    count(*) AS lots FROM lot GROUP BY ALL) l USING (notice_id, notice_version, delivery_id)
WHERE k.says = 'call' AND k.speaks QUALIFY row_number() OVER (PARTITION BY k.proc ORDER BY k.dispatch_at DESC, k.notice_id DESC) = 1"""
BEGUN = """
SELECT proc, month, is_ted FROM (SELECT *, 0 AS rank FROM first_call UNION ALL SELECT *, 1 FROM first_result)
QUALIFY row_number() OVER (PARTITION BY proc ORDER BY rank) = 1"""
FIRST_AWARD = """
SELECT month, is_ted, 0 AS hit FROM won WHERE result_code = 'selec-w'
QUALIFY row_number() OVER (PARTITION BY proc, lot_id ORDER BY since, notice_id, result_id) = 1"""
NEWEST_CLOSING = """
SELECT w.month, w.is_ted, 1 AS hit FROM won w JOIN told t USING (notice_id, notice_version, delivery_id)
WHERE w.result_code = 'clos-nw'
    AND NOT EXISTS (FROM won o WHERE o.proc = w.proc AND o.lot_id = w.lot_id AND o.result_code = 'selec-w')
QUALIFY row_number() OVER (PARTITION BY w.proc, w.lot_id ORDER BY t.dispatch_at DESC, notice_id, result_id) = 1"""
CANCELLED_LOT = """
SELECT date_trunc('month', k.notice_date)::DATE AS month, k.is_ted, 1 AS hit
FROM told k JOIN lot l USING (notice_id, notice_version, delivery_id) WHERE k.says = 'call' AND k.is_cancelled
    AND NOT EXISTS (FROM won o WHERE o.proc = k.proc AND o.lot_id = l.lot_id)
QUALIFY row_number() OVER (PARTITION BY k.proc, l.lot_id ORDER BY k.dispatch_at, k.notice_id) = 1"""


def one(
    figure_id: str,
    numerator: str,
    denominator: str,
    rest: str,
    variant: str = "",
    breakdown: str = "",
    place: str = "month, is_ted",
) -> str:
    return f"SELECT '{figure_id}', '{variant}', '{breakdown}', {place}, ({numerator})::BIGINT, ({denominator})::BIGINT {rest}"


QUERIES = (
    one("single_bid_share", "tenders_n = 1", "1", WITH_BIDS),
    one(
        "single_bid_share", "tenders_n = 1", "1", "FROM won WHERE result_code = 'selec-w' AND tenders_n >= 1 AND ds <> 'none' "
        "AND coalesce(fw, 'none') = 'none' AND coalesce(procedure_type, '') NOT IN ('neg-wo-call', 'oth-single')", "dps",
    ),
    one("single_bid_value_share", "CASE WHEN tenders_n = 1 THEN award_value_cents ELSE 0 END", "award_value_cents",
        f"{WITH_BIDS} AND award_value_cents IS NOT NULL"),
    one("bids_mean", "tenders_n", "1", WITH_BIDS),
    *(
        one("bids_distribution", hit, "1", "FROM open_lot WHERE tenders_n IS NOT NULL", breakdown=name)
        for name, hit in {"zero": "tenders_n = 0", "1": "tenders_n = 1", "2": "tenders_n = 2", "3": "tenders_n = 3", "4+": "tenders_n > 3"}.items()
    ),
    one("no_call_share", "procedure_type = 'neg-wo-call'", "1", f"{IN_PROCEDURE} WHERE procedure_type IS NOT NULL"),
    one("no_call_share", "procedure_type IN ('neg-wo-call', 'oth-single')", "1", f"{IN_PROCEDURE} WHERE procedure_type IS NOT NULL", "with_oth_single"),
    one(
        "cooperative_share", f"EXISTS (FROM told k JOIN procedure p {KEY} WHERE k.proc = f.proc AND k.says = 'result' AND k.speaks AND p.is_joint)",
        "1", "FROM first_result f",
    ),
    one(
        "price_only_share", "(SELECT bool_and(crit = 'price') FROM won WHERE won.proc = f.proc AND won.result_code = 'selec-w')", "1",
        f"FROM first_result f WHERE {HAS_AWARD} AND NOT EXISTS (FROM won WHERE won.proc = f.proc AND won.result_code = 'selec-w' AND crit IS NULL)",
    ),
    one(
        "contract_modification_share", "EXISTS (FROM cur WHERE cur.proc = f.proc AND cur.form_type = 'cont-modif')", "1",
        f"FROM first_result f WHERE {HAS_AWARD}",
    ),
    one(
        "missing_call_share", "NOT EXISTS (FROM told k WHERE k.proc = f.proc AND k.says = 'call')", "1",
        f"{IN_PROCEDURE} WHERE procedure_type NOT IN ('neg-wo-call', 'oth-single') AND (EXISTS (FROM told k WHERE k.proc = f.proc AND k.says = 'call') OR "
        "least(f.since, (SELECT min(decision_date) FROM won WHERE won.proc = f.proc)) >= DATE '2024-10-24')",
    ),
    one(
        "decision_days_mean", "days", "1", """FROM (
            SELECT proc, lot_id, arg_min(month, (decision_date, since, notice_id, result_id)) AS month,
                arg_min(is_ted, (decision_date, since, notice_id, result_id)) AS is_ted,
                min(decision_date) - any_value(deadline_date) AS days
            FROM won WHERE result_code = 'selec-w' AND decision_date IS NOT NULL AND deadline_date IS NOT NULL AND ds = 'none'
                AND coalesce(procedure_type, '') NOT IN ('neg-wo-call', 'oth-single') GROUP BY ALL)
            WHERE days BETWEEN 0 AND 730""",
    ),
    one("sme_contractor_share", "w.size IN ('micro', 'small', 'medium', 'sme')", "1", f"{WINNERS} WHERE w.size IS NOT NULL"),
    one("missing_seller_id_share", "w.id_kind NOT IN ('business_id', 'foreign_id')", "1", WINNERS),
    one("sme_bid_share", "tenders_sme_n", "tenders_n", "FROM won WHERE tenders_n > 0 AND tenders_sme_n <= tenders_n"),
    one(
        "missing_buyer_id_share", "o.id_kind NOT IN ('business_id', 'foreign_id')", "1",
        "FROM cur JOIN organisation o USING (notice_id, notice_version, delivery_id) WHERE o.is_buyer", place=OF_NOTICE,
    ),
    one(
        "value_stated_share", f"EXISTS (FROM procedure x WHERE {SAME} AND x.estimated_value_cents IS NOT NULL) "
        f"OR EXISTS (FROM lot_result x WHERE {SAME} AND x.award_value_cents IS NOT NULL)",
        "1", "FROM cur c", place=OF_NOTICE,
    ),
    one(
        "cpb_share", f"EXISTS (FROM told k JOIN procedure p {KEY} WHERE k.proc = f.proc AND k.says = 'result' AND k.speaks "
        "AND p.is_central_purchasing)", "1", "FROM first_result f",
    ),
    one(
        "open_share", "procedure_type = 'open'", "1", f"FROM ({BEGUN}) f JOIN proc_type USING (proc) "
        f"WHERE NOT EXISTS (FROM cur WHERE cur.proc = f.proc AND cur.is_cancelled AND cur.subtype = '16') OR {HAS_AWARD}",
    ),
    one("cancelled_share", "hit", "1", f"FROM ({FIRST_AWARD} UNION ALL {NEWEST_CLOSING} UNION ALL {CANCELLED_LOT})"),
    one("lots_share", "(SELECT count(*) FROM call_lot l WHERE l.proc = f.proc) > 1", "1", "FROM first_call f"),
    one("short_deadline_share", "deadline_date - since < 15", "1",
        "FROM call_lot WHERE coalesce(dps, 'none') = 'none' AND deadline_date IS NOT NULL", place=OF_CALL),
    one("notices_n", "1", "0", "FROM cur", place=OF_NOTICE),
    f"""
    WITH answers AS ({NEWEST_ANSWER.format(answer="answer_new_to_market")}), place AS ({ANSWER_PLACE})
    SELECT 'innovative_share', 'new_to_market', '', month, is_ted, bool_or(answer)::BIGINT, 1
    FROM answers JOIN place USING (proc) GROUP BY proc, month, is_ted""",
    f"""
    WITH answers AS ({NEWEST_ANSWER.format(answer="answer_new_to_buyer")}), place AS ({ANSWER_PLACE}), worth AS ({CALL_VALUE})
    SELECT 'innovative_value_share', 'new_to_buyer', '', month, is_ted, any_value(cents) * bool_or(answer)::BIGINT, any_value(cents)
    FROM answers JOIN place USING (proc) JOIN worth USING (proc) WHERE cents IS NOT NULL GROUP BY proc, month, is_ted""",
    f"""
    WITH answers AS ({NEWEST_ANSWER.format(answer="answer_employment_condition")}), place AS ({ANSWER_PLACE})
    SELECT 'employment_clause_share', '', '', month, is_ted, answer::BIGINT, 1 FROM answers JOIN place USING (proc)""",
    f"""
    WITH answers AS ({NEWEST_ANSWER.format(answer="answer_energy_efficiency")} UNION ALL {NEWEST_ANSWER.format(answer="answer_sustainable_food")}),
        place AS ({ANSWER_PLACE})
    SELECT 'green_share', '', '', month, is_ted, bool_or(answer)::BIGINT, 1 FROM answers JOIN place USING (proc) GROUP BY proc, month, is_ted""",
)  # fmt: skip
