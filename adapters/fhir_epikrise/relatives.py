"""Understands who of the family a code of HL7 names, in bokmål."""

from __future__ import annotations

from collections.abc import Mapping

ROLES = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
GENDERS = "http://hl7.org/fhir/administrative-gender"

NAMES: Mapping[tuple[str, str], str] = {
    **{
        (ROLES, code): name
        for code, name in (
            ("AUNT", "tante"), ("BRO", "bror"), ("CHILD", "barn"), ("COUSN", "søskenbarn"),
            ("DAU", "datter"), ("DAUC", "datter"), ("FAMMEMB", "i familien"), ("FTH", "far"),
            ("FTWIN", "toegget tvilling"), ("FTWINBRO", "toegget tvillingbror"),
            ("FTWINSIS", "toegget tvillingsøster"), ("GGRFTH", "oldefar"), ("GGRMTH", "oldemor"),
            ("GGRPRN", "oldeforelder"), ("GRFTH", "bestefar"), ("GRMTH", "bestemor"),
            ("GRNDCHILD", "barnebarn"), ("GRNDDAU", "datterdatter eller sønnedatter"),
            ("GRNDSON", "dattersønn eller sønnesønn"), ("GRPRN", "besteforelder"), ("HBRO", "halvbror"),
            ("HSIB", "halvsøsken"), ("HSIS", "halvsøster"), ("HUSB", "ektemann"),
            ("ITWIN", "enegget tvilling"),
            ("ITWINBRO", "enegget tvillingbror"), ("ITWINSIS", "enegget tvillingsøster"),
            ("MAUNT", "tante på morssiden"), ("MCOUSN", "søskenbarn på morssiden"), ("MGRFTH", "morfar"),
            ("MGRMTH", "mormor"), ("MGRPRN", "besteforelder på morssiden"), ("MTH", "mor"),
            ("MUNCLE", "onkel på morssiden"), ("NBRO", "helbror"), ("NCHILD", "biologisk barn"),
            ("NEPHEW", "nevø"), ("NFTH", "biologisk far"), ("NIECE", "niese"), ("NMTH", "biologisk mor"),
            ("NPRN", "biologisk forelder"), ("NSIB", "helsøsken"), ("NSIS", "helsøster"),
            ("PAUNT", "tante på farssiden"), ("PCOUSN", "søskenbarn på farssiden"), ("PGRFTH", "farfar"),
            ("PGRMTH", "farmor"), ("PGRPRN", "besteforelder på farssiden"), ("PRN", "forelder"),
            ("PUNCLE", "onkel på farssiden"), ("SIB", "søsken"), ("SIS", "søster"), ("SON", "sønn"),
            ("SONC", "sønn"), ("SPS", "ektefelle"), ("TWIN", "tvilling"), ("TWINBRO", "tvillingbror"),
            ("TWINSIS", "tvillingsøster"), ("UNCLE", "onkel"), ("WIFE", "kone"),
        )
    },
    (GENDERS, "female"): "kvinne",
    (GENDERS, "male"): "mann",
}  # few lines # fmt: skip
"""By system and code, for one that stands without words."""
