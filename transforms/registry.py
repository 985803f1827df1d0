"""The one place that wires a source."""

from __future__ import annotations

from schemas.procurement_notices import CONTRACT as NOTICES
from schemas.purchase_invoices import CONTRACT as INVOICES
from schemas.purchase_invoices import POSTING_LINE
from schemas.satisfaction_surveys import CONTRACT as SURVEYS
from transforms.delivery import KeyedMeasures, SnapshotMeasures, Source, TableMeasures
from transforms.measures import action_programme as action_measures
from transforms.measures import contact_requests as contact_measures
from transforms.measures import impact_assessments as impact_measures
from transforms.measures import invoice_categories as invoice_measures
from transforms.measures import joint_procurements as joint_measures
from transforms.measures import market_court_cases as court_measures
from transforms.measures import mini_competitions as mini_competition_measures
from transforms.measures import procurement_notices as notice_measures
from transforms.measures import satisfaction_surveys as survey_measures
from transforms.measures import strategic_goals as goal_measures
from transforms.measures import strategy_followup as followup_measures
from transforms.sources import (
    action_programme,
    contact_requests,
    impact_assessments,
    invoice_agency,
    joint_procurements,
    market_court_cases,
    mini_competitions,
    procurement_notices,
    purchase_invoices,
    satisfaction_surveys,
    strategic_goals,
    strategy_followup,
)
from transforms.sources.forms import no_coverage

SOURCES: dict[str, Source] = {
    "purchase_invoices": Source(
        contract=INVOICES,
        read=purchase_invoices.read,
        clean=purchase_invoices.clean,
        conclude=purchase_invoices.conclude,
        recognise=purchase_invoices.recognise,
        coverage=purchase_invoices.coverage,
        measures=SnapshotMeasures(
            invoice_measures.MEASURES, invoice_measures.PLANS, POSTING_LINE.name, invoice_measures.relations
        ),
        recognise_agency=invoice_agency.agency_of,
    ),
    "procurement_notices": Source(
        contract=NOTICES,
        read=procurement_notices.read,
        clean=procurement_notices.clean,
        conclude=procurement_notices.conclude,
        recognise=procurement_notices.recognise,
        coverage=procurement_notices.coverage,
        measures=KeyedMeasures(notice_measures.MEASURES, notice_measures.measure, notice_measures.names_of),
    ),
    "contact_requests": contact_requests.FORM.source(TableMeasures(contact_measures.MEASURES, contact_measures.measure)),
    "market_court_cases": market_court_cases.FORM.source(TableMeasures(court_measures.MEASURES, court_measures.measure)),
    "joint_procurements": joint_procurements.FORM.source(TableMeasures(joint_measures.MEASURES, joint_measures.measure)),
    "mini_competitions": mini_competitions.FORM.source(
        TableMeasures(mini_competition_measures.MEASURES, mini_competition_measures.measure)
    ),
    "impact_assessments": impact_assessments.FORM.source(
        TableMeasures(impact_measures.MEASURES, impact_measures.measure, beside=("mini_competitions",))
    ),
    "strategy_followup": strategy_followup.FORM.source(TableMeasures(followup_measures.MEASURES, followup_measures.measure)),
    "strategic_goals": strategic_goals.FORM.source(TableMeasures(goal_measures.MEASURES, goal_measures.measure)),
    "action_programme": action_programme.FORM.source(TableMeasures(action_measures.MEASURES, action_measures.measure)),
    "satisfaction_surveys": Source(
        contract=SURVEYS,
        read=satisfaction_surveys.read,
        clean=satisfaction_surveys.clean,
        conclude=satisfaction_surveys.conclude,
        recognise=satisfaction_surveys.recognise,
        coverage=no_coverage,
        measures=TableMeasures(survey_measures.MEASURES, survey_measures.measure),
    ),
}
