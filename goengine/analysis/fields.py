"""Every field of KataGo's JSON protocol and how far it is supported here: what docs/analysis.md lists.

Yes: as KataGo has it. Partly: docs/analysis.md says what differs. No: accepted where it is a field of a query, and left out
where it is one of an answer.
"""

from typing import Final, Literal

Support = Literal["yes", "partly", "no"]

QUERY: Final[dict[str, Support]] = {
    "id": "yes",
    "moves": "yes",
    "initialStones": "yes",
    "initialPlayer": "yes",
    "rules": "yes",
    "komi": "yes",
    "whiteHandicapBonus": "yes",
    "boardXSize": "partly",
    "boardYSize": "partly",
    "analyzeTurns": "yes",
    "maxVisits": "yes",
    "rootPolicyTemperature": "yes",
    "rootFpuReductionMax": "yes",
    "analysisPVLen": "yes",
    "includeOwnership": "yes",
    "includeOwnershipStdev": "partly",
    "includeMovesOwnership": "partly",
    "includeMovesOwnershipStdev": "partly",
    "includePolicy": "yes",
    "includePVVisits": "yes",
    "includeNoResultValue": "no",
    "avoidMoves": "yes",
    "allowMoves": "yes",
    "overrideSettings": "partly",
    "reportDuringSearchEvery": "yes",
    "firstReportDuringSearchAfter": "yes",
    "priority": "yes",
    "priorities": "yes",
}
ACTION: Final[dict[str, Support]] = {"action": "yes", "terminateId": "yes", "turnNumbers": "yes"}
ACTIONS: Final[dict[str, Support]] = {
    "query_version": "yes",
    "query_models": "partly",
    "clear_cache": "yes",
    "terminate": "yes",
    "terminate_all": "yes",
}
ANSWER: Final[dict[str, Support]] = {
    "id": "yes",
    "turnNumber": "yes",
    "isDuringSearch": "yes",
    "noResults": "yes",
    "moveInfos": "yes",
    "rootInfo": "yes",
    "ownership": "yes",
    "ownershipStdev": "partly",
    "policy": "yes",
    "humanPolicy": "no",
}
ROOT: Final[dict[str, Support]] = {
    "winrate": "yes",
    "scoreLead": "yes",
    "scoreSelfplay": "partly",
    "scoreStdev": "yes",
    "utility": "yes",
    "lcb": "no",
    "visits": "yes",
    "weight": "partly",
    "thisHash": "yes",
    "symHash": "yes",
    "currentPlayer": "yes",
    "rawWinrate": "yes",
    "rawLead": "yes",
    "rawScoreSelfplay": "partly",
    "rawScoreSelfplayStdev": "yes",
    "rawNoResultProb": "no",
    "rawStWrError": "no",
    "rawStScoreError": "no",
    "rawVarTimeLeft": "no",
    "humanWinrate": "no",
    "humanScoreMean": "no",
    "humanScoreStdev": "no",
    "humanStWrError": "no",
    "humanStScoreError": "no",
}
MOVE: Final[dict[str, Support]] = {
    "move": "yes",
    "visits": "yes",
    "edgeVisits": "partly",
    "winrate": "yes",
    "scoreMean": "yes",
    "scoreStdev": "yes",
    "scoreLead": "yes",
    "scoreSelfplay": "partly",
    "prior": "yes",
    "noResultValue": "no",
    "humanPrior": "no",
    "utility": "yes",
    "lcb": "yes",
    "utilityLcb": "yes",
    "weight": "partly",
    "edgeWeight": "partly",
    "order": "yes",
    "playSelectionValue": "partly",
    "isSymmetryOf": "yes",
    "pv": "yes",
    "pvVisits": "yes",
    "pvEdgeVisits": "partly",
    "ownership": "partly",
    "ownershipStdev": "partly",
}
PROBLEM: Final[dict[str, Support]] = {"error": "yes", "warning": "yes", "field": "yes"}
